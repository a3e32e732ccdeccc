import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { flavours } from '../../kernels/engine/arena';
import { inputRange, mobilenetCases, otherCases, prepare, randomPixels } from './cases';
import { createInlineInference } from './inlineInference';

const SEED = 61;
const cases = [mobilenetCases[5]!, otherCases[0]!, otherCases[4]!];

beforeAll(() => setBackend('cpu'));

describe.each(flavours)('%s', (_, module) => {
  test.each(cases.map((one) => [one.name, one] as const))(
    `a picture's outputs have the same bits in any batch, of several groups too: %s, seed ${SEED}`,
    (_name, one) => {
      const { model, graph } = prepare(one);
      const engine = createInlineInference(module, { graph, inputRange });
      const images = 2 * engine.plan.groupSize + 3;
      for (const kind of ['bytes', 'floats'] as const) {
        const pixels = randomPixels(model, images, SEED, kind);
        const size = pixels.length / images;
        const all = engine.run(pixels, images);
        const outputs = all.length / images;
        for (let image = 0; image < images; image += image < 5 ? 1 : 29) {
          const alone = engine.run(pixels.slice(image * size, (image + 1) * size), 1);
          expect(alone, `${kind}, picture ${image}`).toEqual(all.slice(image * outputs, (image + 1) * outputs));
        }
        const rest = engine.run(pixels.subarray(size), images - 1);
        expect(rest).toEqual(all.slice(outputs));
      }
    },
  );

  test('a picture of NaN spoils no other', () => {
    const { model, graph } = prepare(mobilenetCases[0]!);
    const engine = createInlineInference(module, { graph, inputRange });
    const pixels = randomPixels(model, 5, SEED, 'floats');
    const clean = engine.run(pixels, 5);
    const spoilt = pixels.slice();
    spoilt.fill(Number.NaN, (2 * pixels.length) / 5, (3 * pixels.length) / 5);
    const outputs = engine.run(spoilt, 5);
    const classes = graph.output.channels;
    expect([...outputs.subarray(2 * classes, 3 * classes)].every(Number.isNaN)).toBe(true);
    expect(outputs.filter((_, i) => Math.floor(i / classes) !== 2)).toEqual(
      clean.filter((_, i) => Math.floor(i / classes) !== 2),
    );
    expect(engine.run(pixels, 5)).toEqual(clean);
  });

  test('no pictures give no outputs', () => {
    const { graph } = prepare(mobilenetCases[0]!);
    expect(createInlineInference(module, { graph, inputRange }).run(new Uint8Array(0), 0)).toHaveLength(0);
  });

  test('bytes are mapped to any input range as floats are', () => {
    const { model, graph } = prepare(otherCases[0]!);
    const bytes = randomPixels(model, 2, SEED, 'bytes');
    const outputs = [
      [0, 1],
      [-2.5, 7],
      [255, 0],
    ].map(([low, high]) => {
      const engine = createInlineInference(module, { graph, inputRange: [low!, high!] });
      const ofBytes = engine.run(bytes, 2);
      expect(engine.run(Float32Array.from(bytes), 2)).toEqual(ofBytes);
      return ofBytes;
    });
    const plain = createInlineInference(module, { graph, inputRange: [0, 255] });
    outputs.forEach((ofBytes, i) => {
      const [low, high] = [
        [0, 1],
        [-2.5, 7],
        [255, 0],
      ][i]!;
      const mapped = Float32Array.from(bytes, (byte) => low! + (byte / 255) * (high! - low!));
      expect(plain.run(mapped, 2)).toEqual(ofBytes);
    });
  });
});
