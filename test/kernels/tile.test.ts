import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';

beforeAll(async () => {
  await registerWasmTrainingKernels();
});

describe('Tile on wasm equals cpu, bit by bit', () => {
  const cases: [shape: number[], reps: number[]][] = [
    // The whole tensor, one copy after the other: ours.
    [
      [1, 1, 1, 5],
      [3, 4, 7, 1],
    ],
    [
      [1, 1, 1, 8],
      [1, 1, 1, 1],
    ],
    [
      [1, 1, 6],
      [1, 9, 1],
    ],
    [[1], [13]],
    [
      [1, 6],
      [0, 1],
    ],
    [
      [1, 3, 2],
      [5, 1, 1],
    ],
    [
      [1, 0, 2],
      [5, 1, 1],
    ],
    // Rows or values repeated in between: tfjs's.
    [
      [4, 1, 3],
      [1, 5, 1],
    ],
    [[7], [3]],
    [
      [2, 3],
      [2, 2],
    ],
  ];
  for (const [shape, reps] of cases) {
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      test(`[${shape}] x [${reps}] ${dtype}`, async () => {
        const values = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
          dtype === 'bool' ? i % 2 : i + 1,
        );
        const run = async (backend: string) => {
          await tf.setBackend(backend);
          const result = tf.tidy(() => tf.tile(tf.tensor(values, shape, dtype), reps));
          const read = { shape: result.shape, values: Array.from(result.dataSync()) };
          result.dispose();
          return read;
        };
        expect(await run('wasm')).toEqual(await run('cpu'));
      });
    }
  }
});
