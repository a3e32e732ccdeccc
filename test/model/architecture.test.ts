import { describe, expect, test } from 'vitest';
import {
  mobilenetV1Rows,
  outputSize,
  type PaddingStyle,
  paddingStyles,
  scaleFilters,
  smallestInputSize,
  windowPadding,
} from '../../src/model/architecture';

/** Counts the places a window can stand at, by trying them: what `outputSize` says with a formula. */
function countPositions(size: number, kernelSize: number, strides: number, before: number, after: number): number {
  let count = 0;
  for (let start = -before; start + kernelSize <= size + after; start += strides) count++;
  return count;
}

test.each([
  ['conv', 'same', 3, 2, { mode: 'same', before: 0, after: 0 }],
  ['depthwise', 'same', 3, 2, { mode: 'same', before: 0, after: 0 }],
  ['conv', 'keras', 3, 2, { mode: 'same', before: 0, after: 0 }],
  ['depthwise', 'keras', 3, 1, { mode: 'same', before: 0, after: 0 }],
  ['depthwise', 'keras', 3, 2, { mode: 'valid', before: 0, after: 1 }],
  ['conv', 'torch', 3, 2, { mode: 'valid', before: 1, after: 1 }],
  ['conv', 'torch', 5, 1, { mode: 'valid', before: 2, after: 2 }],
  ['depthwise', 'torch', 3, 1, { mode: 'valid', before: 1, after: 1 }],
  ['conv', 'torch', 1, 2, { mode: 'same', before: 0, after: 0 }],
] as const)('%s, padding %s, %dx window, stride %d: %o', (kind, style, kernelSize, strides, expected) => {
  expect(windowPadding({ kind, kernelSize, strides }, style)).toEqual(expected);
});

describe.each(paddingStyles)("padding '%s'", (style) => {
  test('outputSize is the number of places that the window can stand at', () => {
    for (const kind of ['conv', 'depthwise'] as const) {
      for (const kernelSize of [1, 3, 5]) {
        for (const strides of [1, 2, 3]) {
          const window = { kind, kernelSize, strides };
          const { mode, before, after } = windowPadding(window, style);
          for (let size = kernelSize; size < 20; size++) {
            const positions =
              mode === 'same'
                ? countPositions(size, 1, strides, 0, 0)
                : countPositions(size, kernelSize, strides, before, after);
            expect(outputSize(size, window, style)).toBe(positions);
          }
        }
      }
    }
  });

  test.each([1, 2, 4])('smallestInputSize is the first size that leaves a pixel, stem stride %d', (stemStride) => {
    const rows = mobilenetV1Rows.map((row) => (row.kind === 'conv' ? { ...row, strides: stemStride } : row));
    const lastSize = (size: number) =>
      rows.reduce(
        (map, { kind, strides }) => Math.max(0, outputSize(map, { kind, kernelSize: 3, strides }, style)),
        size,
      );
    let first = 1;
    while (lastSize(first) < 1) first++;
    expect(smallestInputSize(rows, style)).toBe(first);
  });
});

test('the smallest pictures: 1 pixel, and 31 with Keras padding', () => {
  const smallest = (style: PaddingStyle) => smallestInputSize(mobilenetV1Rows, style);
  expect(paddingStyles.map(smallest)).toEqual([1, 31, 1]);
});

test('filters are cut off, not rounded', () => {
  expect(scaleFilters(32, 0.35)).toBe(11); // 11.2
  expect(scaleFilters(1024, 0.35)).toBe(358); // 358.4
  expect(scaleFilters(32, 0.3)).toBe(9); // 9.6
});
