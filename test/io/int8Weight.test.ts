import { expect, test } from 'vitest';
import { quantizeChannels } from '../../src/graph/quantizeChannels';
import { channelCount, decodeInt8, encodeInt8 } from '../../src/io/int8Weight';
import { createRandom } from '../../src/random';

const seed = 11;
const random = createRandom(seed);

/** Weights whose channels have very different sizes, one of them zero. */
function randomWeight(shape: readonly number[], channels: number): Float32Array {
  const sizes = Array.from({ length: channels }, (_, c) => (c === 1 ? 0 : 10 ** (4 * random.normal())));
  return Float32Array.from(
    { length: channelCount(shape, shape.length) },
    (_, i) => random.normal() * sizes[i % channels]!,
  );
}

const shapes: [shape: number[], channelAxes: number, channels: number][] = [
  [[3, 3, 3, 8], 1, 8],
  [[1, 1, 16, 1000], 1, 1000],
  [[3, 3, 50, 3], 2, 150],
  [[7, 5], 1, 5],
  [[1, 300], 1, 300],
  [[3, 3, 0, 4], 1, 4],
  [[4, 0], 1, 0],
];

test.each(shapes)(`[%s], channels of the last %i axes (seed ${seed})`, (shape, channelAxes, channels) => {
  expect(channelCount(shape, channelAxes)).toBe(channels);
  const weight = randomWeight(shape, channels);
  const bytes = encodeInt8(weight, channels);
  expect(bytes.length).toBe(4 * channels + weight.length);

  const decoded = decodeInt8('here', 'w', bytes.buffer, channels);
  const { values, scales } = quantizeChannels(weight, channels);
  // Half a step, and what float32 rounds away of 127 times the scale.
  const steps = decoded.map((value, i) => Math.abs(value - weight[i]!) / scales[i % channels]!);
  expect(steps.reduce((most, value) => Math.max(most, value), 0)).toBeLessThanOrEqual(0.5 + 127 * 2 ** -22);

  // The engine quantises what was read: the same integers, and with batch norm folded in too.
  const again = quantizeChannels(decoded, channels);
  expect(again.values).toEqual(values);
  expect(again.scales).toEqual(new Float32Array(bytes.buffer, 0, channels));
  const factors = Array.from({ length: channels }, () => 0.01 + random.uniform());
  const folded = decoded.map((value, i) => value * factors[i % channels]!);
  expect(quantizeChannels(folded, channels).values).toEqual(values);

  expect(encodeInt8(decoded, channels)).toEqual(bytes);
});

test(`read and written again, the bytes stay, over 100,000 channels (seed ${seed})`, () => {
  const channels = 100_000;
  const weight = randomWeight([2, channels], channels);
  const bytes = encodeInt8(weight, channels);
  const again = encodeInt8(decodeInt8('here', 'w', bytes.buffer, channels), channels);
  expect(Buffer.compare(again, bytes)).toBe(0);
});

test('scales first, then values; -1 and 1 are 127 steps', () => {
  const bytes = encodeInt8(Float32Array.of(1, -254, -0.5, 127, 0, 3), 2);
  expect([...new Float32Array(bytes.buffer, 0, 2)]).toEqual([Math.fround(1 / 127), 2]);
  expect([...new Int8Array(bytes.buffer, 8)]).toEqual([127, -127, -64, 64, 0, 2]);
});
