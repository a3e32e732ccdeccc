import { expect, test } from 'vitest';
import { channelRange, checkInputRange, type InputRange, isPerChannel, meanStdRange } from '../src/inputRange';

test('meanStdRange: byte b becomes (b / 255 - mean) / std, within 1e-14', () => {
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const ranges = meanStdRange({ mean, std });
  expect(ranges).toHaveLength(3);
  for (const [c, [low, high]] of ranges.entries()) {
    for (const b of [0, 1, 100, 254, 255]) {
      expect(Math.abs(low + (b / 255) * (high - low) - (b / 255 - mean[c]!) / std[c]!)).toBeLessThan(1e-14);
    }
  }
});

test.each([
  [{ mean: [], std: [] }, /a mean and a std for each channel/],
  [{ mean: [0.5], std: [0.5, 0.5] }, /received 1 and 2/],
  [{ mean: [Number.NaN], std: [0.5] }, /every mean to be a number/],
  [{ mean: [0.5], std: [0] }, /every std to be above 0, received 0/],
  [{ mean: [0.5], std: [Number.POSITIVE_INFINITY] }, /every std to be above 0/],
])('meanStdRange refuses %o', (options, message) => {
  expect(() => meanStdRange(options)).toThrow(message);
});

test('one range is the range of every channel', () => {
  expect(isPerChannel([-1, 1])).toBe(false);
  expect(channelRange([-1, 1], 2)).toEqual([-1, 1]);
  const ranges = [
    [-1, 1],
    [0, 2],
  ] as const;
  expect(isPerChannel(ranges)).toBe(true);
  expect([channelRange(ranges, 0), channelRange(ranges, 1)]).toEqual(ranges);
});

test.each<[InputRange, number | undefined]>([
  [[-1, 1], undefined],
  [[-1, 1], 3],
  [
    [
      [0, 1],
      [-1, 1],
    ],
    2,
  ],
  [
    [
      [0, 1],
      [-1, 1],
    ],
    undefined,
  ],
])('checkInputRange takes %o for %s channels', (inputRange, channels) => {
  expect(() => checkInputRange('here', inputRange, channels)).not.toThrow();
});

test.each([
  [[1, 1], /^here: expected inputRange to be \[low, high\], low below high/],
  [[2, 1], /low below high/],
  [[0, Number.NaN], /low below high/],
  [[0, Number.POSITIVE_INFINITY], /low below high/],
  [[0, 1, 2], /low below high/],
  [[], /low below high/],
  [
    [
      [0, 1],
      [1, 0],
    ],
    /low below high/,
  ],
  [[[0, 1], 5], /low below high/],
  [
    [
      [0, 1],
      [0, 1, 2],
    ],
    /low below high/,
  ],
  [['0', '1'], /low below high/],
  [null, /received null/],
  [7, /received 7/],
  [{ low: 0, high: 1 }, /received \{"low":0,"high":1\}/],
  [
    [
      [0, 1],
      [0, 1],
    ],
    /one range for each of 3 channels, received 2/,
  ],
])('checkInputRange refuses %o for 3 channels', (inputRange, message) => {
  expect(() => checkInputRange('here', inputRange as unknown as InputRange, 3)).toThrow(message);
});
