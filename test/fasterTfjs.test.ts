import { buffer } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import './fasterTfjs';

test('a buffer of any rank gives what lies there, and refuses what is no place in it as before', () => {
  for (const shape of [[], [3], [2, 3], [2, 3, 2], [2, 3, 2, 4], [2, 1, 3, 2, 4], [2, 1, 3, 2, 1, 2]]) {
    const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i + 1);
    const filled = buffer(shape as [number], 'float32', values);
    for (const [i, value] of values.entries()) expect(filled.get(...filled.indexToLoc(i))).toBe(value);
    const beyond = shape.map((size) => size);
    if (shape.length > 0) expect(() => filled.get(...beyond)).toThrow(/out of range/);
    if (shape.length > 0) expect(() => filled.get(...beyond.map(() => -1))).toThrow(/out of range/);
  }
});
