import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { randomValues, relativeError } from './harness';

const SEED = 11;

beforeAll(async () => {
  await registerWasmTrainingKernels();
  await tf.setBackend('wasm');
});

/** The definition: columns of [R,C], one value after the other, in float64. */
function columnSums(x: Float32Array, R: number, C: number): Float64Array {
  const sums = new Float64Array(C);
  for (let r = 0; r < R; r++) for (let c = 0; c < C; c++) sums[c]! += x[r * C + c]!;
  return sums;
}

describe(`sums and means over leading axes, error below 1e-6 of the sum of |values| (seed ${SEED})`, () => {
  for (const [R, C] of [1, 2, 255, 256, 257, 513, 4100].flatMap((R) =>
    [1, 3, 4, 15, 16, 17, 33, 64].map((C) => [R, C]),
  )) {
    test(`[${R},${C}]`, () => {
      const x = randomValues([R!, C!], SEED);
      const expected = columnSums(x, R!, C!);
      const magnitude = columnSums(x.map(Math.abs), R!, C!);
      const tensor = tf.tensor2d(x, [R!, C!]);
      const [sum, mean] = tf.tidy(() => [tf.sum(tensor, 0).dataSync(), tf.mean(tensor, 0).dataSync()]);
      tensor.dispose();
      expect(relativeError(sum!, expected, magnitude)).toBeLessThan(1e-6);
      expect(
        relativeError(
          mean!,
          expected.map((s) => s / R!),
          magnitude.map((s) => s / R!),
        ),
      ).toBeLessThan(1e-6);
    });
  }
});

describe('every choice of axes keeps its shape and agrees with cpu within 1e-6', () => {
  const axes = [[0], [1], [3], [0, 1], [1, 0], [-4, 1, 2], [0, 1, 2], [2, 3], [0, 2], [0, 1, 2, 3]];
  for (const axis of axes) {
    for (const keepDims of [false, true]) {
      test(`axes [${axis}]${keepDims ? ', kept' : ''}`, async () => {
        const values = randomValues([2, 3, 5, 7], SEED);
        const run = async (backend: string) => {
          await tf.setBackend(backend);
          return tf.tidy(() => {
            const x = tf.tensor4d(values, [2, 3, 5, 7]);
            return [tf.sum(x, axis, keepDims), tf.mean(x, axis, keepDims)].map((y) => ({
              shape: y.shape,
              values: y.dataSync(),
            }));
          });
        };
        const [ours, theirs] = [await run('wasm'), await run('cpu')];
        ours.forEach((y, i) => {
          expect(y.shape).toEqual(theirs[i]!.shape);
          y.values.forEach((value, j) => {
            expect(Math.abs(value - theirs[i]!.values[j]!)).toBeLessThan(1e-6 * 210);
          });
        });
      });
    }
  }

  test('integers stay with tfjs, and the sum of nothing is 0', async () => {
    await tf.setBackend('wasm');
    expect(tf.tidy(() => Array.from(tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0).dataSync()))).toEqual([4, 6]);
    expect(tf.tidy(() => Array.from(tf.sum(tf.zeros([0, 2]), 0).dataSync()))).toEqual([0, 0]);
  });
});
