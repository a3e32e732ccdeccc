import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createInferenceEngine } from '../../../src/engine/inferenceEngine';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { quantizeGraph } from '../../../src/graph/quantizeGraph';
import { flavours } from '../../kernels/engine/arena';
import { inputRange, mobilenetCases, otherCases, prepare, randomPixels } from './cases';
import { createInlineInference } from './inlineInference';

const SEED = 91;

/** The flavour that a team takes in this runtime. */
const [, bestModule] = flavours.at(-1)!;

const cases = [
  ...[mobilenetCases[6]!, mobilenetCases[9]!, ...otherCases.slice(0, 1), ...otherCases.slice(5)].map(
    (one) => [one.name, 'float32', one] as const,
  ),
  ...[mobilenetCases[3]!, mobilenetCases[5]!].map((one) => [one.name, 'int8', one] as const),
];

beforeAll(() => setBackend('cpu'));

describe.each([1, 2, 3])('%i threads', (threads) => {
  test.each(cases)(
    `give the bits of one thread alone, whatever the batch: %s, %s, seed ${SEED}`,
    async (_name, precision, one) => {
      const { model, graph: floats } = prepare(one);
      const graph = precision === 'int8' ? quantized(floats) : floats;
      const inline = createInlineInference(bestModule, { graph, inputRange });
      const engine = await createInferenceEngine({ graph, inputRange, threads });
      try {
        expect(engine.threads).toBe(threads);
        for (const images of [1, 2, inline.plan.groupSize + 5]) {
          for (const kind of ['bytes', 'floats'] as const) {
            const pixels = randomPixels(model, images, SEED, kind);
            expect(await engine.run(pixels, images), `${images} images of ${kind}`).toEqual(inline.run(pixels, images));
          }
        }
      } finally {
        await engine.dispose();
      }
    },
  );

  test(`observe the same as one thread alone (seed ${SEED})`, async () => {
    for (const one of [mobilenetCases[5]!, otherCases[0]!]) {
      const { model, graph } = prepare(one);
      const options = { graph, inputRange, separateStages: true };
      const pixels = randomPixels(model, 3, SEED, 'bytes');
      const engine = await createInferenceEngine({ ...options, threads });
      try {
        expect(await engine.observe(pixels, 3)).toEqual(createInlineInference(bestModule, options).observe(pixels, 3));
      } finally {
        await engine.dispose();
      }
    }
  });

  test(`calls queue up, each with its own pictures, and views are taken as they are (seed ${SEED})`, async () => {
    const { model, graph } = prepare(mobilenetCases[0]!);
    const inline = createInlineInference(bestModule, { graph, inputRange });
    const engine = await createInferenceEngine({ graph, inputRange, threads });
    try {
      const pixels = randomPixels(model, 9, SEED, 'bytes');
      const size = pixels.length / 9;
      const pictures = Array.from({ length: 9 }, (_, i) => pixels.subarray(i * size, (i + 1) * size));
      const outputs = await Promise.all(pictures.map((picture) => engine.run(picture, 1)));
      expect(outputs).toEqual(pictures.map((picture) => inline.run(picture, 1)));
      expect(pixels).toHaveLength(9 * size);
    } finally {
      await engine.dispose();
    }
  });

  test('the profile has the input and every pass, as often as there are groups', async () => {
    const { model, graph } = prepare(otherCases[0]!);
    const { plan } = createInlineInference(bestModule, { graph, inputRange });
    const engine = await createInferenceEngine({ graph, inputRange, threads });
    try {
      const images = 2 * plan.groupSize;
      const times = await engine.profile(randomPixels(model, images, SEED, 'bytes'), images);
      const group = ['input', ...plan.passes.map(({ name }) => name)];
      expect(times.map(({ stage }) => stage)).toEqual([...group, ...group]);
      expect(times.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
    } finally {
      await engine.dispose();
    }
  });
});

function quantized(graph: InferenceGraph) {
  const read = quantizeGraph(graph, { inputRange });
  if ('unsupported' in read) throw new Error(`${read.unsupported.layerName} ${read.unsupported.reason}`);
  return read.graph;
}
