import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { flavours } from '../../kernels/engine/arena';
import { inputRange, mobilenetCases, otherCases, prepare, randomPixels } from './cases';
import { createInlineInference } from './inlineInference';

const SEED = 61;

beforeAll(() => setBackend('cpu'));

describe.each(flavours)('observe, %s', (_, module) => {
  test.each([mobilenetCases[3]!, mobilenetCases[11]!, ...otherCases].map((one) => [one.name, one] as const))(
    `gives the highest value of each stage and picture, 0 where none is above: %s, seed ${SEED}`,
    (_name, one) => {
      const { model, graph } = prepare(one);
      const engine = createInlineInference(module, { graph, inputRange, separateStages: true });
      const images = 3;
      const pixels = randomPixels(model, images, SEED, 'floats');
      const expected = new Float32Array(images * graph.stages.length);
      engine.passOutputs(pixels, images).forEach((values, stage) => {
        const size = values.length / images;
        for (let image = 0; image < images; image++) {
          const own = values.subarray(image * size, (image + 1) * size);
          expected[image * graph.stages.length + stage] = own.reduce((most, value) => Math.max(most, value), 0);
        }
      });
      expect(engine.observe(pixels, images)).toEqual(expected);
    },
  );
});
