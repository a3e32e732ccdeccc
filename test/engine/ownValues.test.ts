import { expect, test } from 'vitest';
import { ownValues } from '../../src/engine/ownValues';

test.each([
  ['bytes', Uint8Array.of(1, 2, 3, 4).subarray(1, 3)],
  ['a Buffer of Node', Buffer.from([1, 2, 3, 4]).subarray(1, 3)],
  ['floats', Float32Array.of(1, 2, 3, 4).subarray(1, 3)],
])('%s that look at a larger buffer are copied', (_, view) => {
  const own = ownValues(view);
  expect([...own]).toEqual([...view]);
  expect(own.buffer.byteLength).toBe(view.byteLength);
});

test('what has a buffer of its own stays', () => {
  const labels = Int32Array.of(1, 2);
  expect(ownValues(labels)).toBe(labels);
});
