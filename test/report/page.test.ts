import uPlot from 'uplot';
import { expect, test } from 'vitest';
import { curvesOf } from '../../src/report/curves';
import { alignLines, rangeOf } from '../../src/report/page/charts';
import { toRgba } from '../../src/report/page/pictures';
import { makeEpoch, makeStep } from './reports';

const line = (from: 'steps' | 'epochs' | 'finest', column: string) => ({
  from,
  column,
  label: '',
  colour: '',
  width: 1,
});

test('steps and epochs share the axis of epochs done; a line has no value where it has no point', () => {
  const curves = curvesOf({ steps: [8, 9, 10, 11].map(makeStep), epochs: [makeEpoch(1)] });
  expect(alignLines(curves, [line('steps', 'imagesPerSecond'), line('epochs', 'loss')])).toEqual([
    [0.8, 0.9, 1, 1.1],
    [808, 809, 810, 811],
    [undefined, undefined, 1, undefined],
  ]);
});

test('where no steps were kept, the ends of epochs stand for them', () => {
  const curves = curvesOf({ steps: [], epochs: [1, 2].map(makeEpoch) });
  expect(alignLines(curves, [line('finest', 'learningRate')])).toEqual([
    [1, 2],
    [0.1, 0.05],
  ]);
  // But are no batches.
  expect(alignLines(curves, [line('steps', 'loss'), line('epochs', 'loss')])[1]).toEqual([undefined, undefined]);
});

test('an epoch that the minutes ended lies where its last step does, and a whole one at its end', () => {
  const ends = (steps: number[], epochs: number[]) =>
    curvesOf({ steps: steps.map(makeStep), epochs: epochs.map(makeEpoch) }).epochs.epoch;
  expect(ends([8, 10, 12], [1, 2])).toEqual([1, 1.2]);
  expect(ends([8, 10, 12], [1])).toEqual([1]);
  // Of the second and third no steps were kept.
  expect(ends([8, 10], [1, 2, 3])).toEqual([1, 2, 3]);
});

test.each([
  ['one right value', 1, 1, 1],
  ['one wrong value', 0, 0, 0.1],
  ['both', 0, 1, 1],
  ['what leaves room above it', 0.3, 0.6, 0.62],
])('the axis of accuracy ends at 100 %% or below: %s', (_, min, max, end) => {
  const [from, to] = uPlot.rangeNum(min, max, rangeOf('accuracy'));
  expect([from, to]).toEqual([0, expect.closeTo(end)]);
});

test.each([
  ['grey', 1, [5, 9], [5, 5, 5, 255, 9, 9, 9, 255]],
  ['grey with alpha', 2, [5, 0, 9, 0], [5, 5, 5, 255, 9, 9, 9, 255]],
  ['RGB', 3, [1, 2, 3, 4, 5, 6], [1, 2, 3, 255, 4, 5, 6, 255]],
  ['RGB and more', 4, [1, 2, 3, 0, 4, 5, 6, 0], [1, 2, 3, 255, 4, 5, 6, 255]],
])('pixels of a picture in %s', (_, channels, pixels, rgba) => {
  expect([...toRgba(Uint8Array.from(pixels), channels)]).toEqual(rgba);
});
