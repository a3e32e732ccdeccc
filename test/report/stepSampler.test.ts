import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/random';
import { createStepSampler } from '../../src/report/stepSampler';
import type { ReportStep } from '../../src/report/trainingReport';

const SEED = 11;

/** Steps of any numbers. */
function randomSteps(count: number): ReportStep[] {
  const random = createRandom(SEED);
  return Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    epoch: (i + 1) / 391,
    loss: random.uniform(),
    accuracy: random.uniform(),
    learningRate: random.uniform(),
    imagesPerSecond: random.uniform(),
  }));
}

/** The definition: a point is the mean of `stride` consecutive steps, the last one of what is left. */
function meansOf(steps: ReportStep[], stride: number): ReportStep[] {
  return Array.from({ length: Math.ceil(steps.length / stride) }, (_, i) => {
    const part = steps.slice(i * stride, (i + 1) * stride);
    const mean = (name: keyof ReportStep) => part.reduce((sum, step) => sum + step[name], 0) / part.length;
    return {
      ...part.at(-1)!,
      loss: mean('loss'),
      accuracy: mean('accuracy'),
      learningRate: mean('learningRate'),
      imagesPerSecond: mean('imagesPerSecond'),
    };
  });
}

function expectClose(received: readonly ReportStep[], expected: readonly ReportStep[]) {
  expect(received.map(({ step, epoch }) => [step, epoch])).toEqual(expected.map(({ step, epoch }) => [step, epoch]));
  for (const [i, point] of received.entries()) {
    for (const name of ['loss', 'accuracy', 'learningRate', 'imagesPerSecond'] as const) {
      expect(point[name]).toBeCloseTo(expected[i]![name], 12);
    }
  }
}

describe(`steps of seed ${SEED}`, () => {
  test.each([
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
    [2000, 2],
    [2001, 4],
    [2003, 4],
    [117_300, 128],
  ])('%i steps become means of %i, and at most 1000 points', (count, stride) => {
    const steps = randomSteps(count);
    const sampler = createStepSampler();
    for (const step of steps) sampler.add(step);
    expect(sampler.sampled.stride).toBe(stride);
    expect(sampler.sampled.points.length).toBeLessThanOrEqual(1000);
    expectClose(sampler.sampled.points, meansOf(steps, stride));
  });

  test('one that goes on from what was kept, through JSON, keeps the same points', () => {
    const steps = randomSteps(57);
    const whole = createStepSampler({ capacity: 8 });
    let part = createStepSampler({ capacity: 8 });
    for (const step of steps) {
      whole.add(step);
      part.add(step);
      part = createStepSampler({ capacity: 8, sampled: JSON.parse(JSON.stringify(part.sampled)) });
    }
    expect(part.sampled).toEqual(whole.sampled);
  });
});

test('what was kept is not changed by going on from it', () => {
  const first = createStepSampler({ capacity: 2 });
  const [a, b, c] = randomSteps(3) as [ReportStep, ReportStep, ReportStep];
  first.add(a);
  first.add(b);
  const before = structuredClone(first.sampled);
  createStepSampler({ capacity: 2, sampled: first.sampled }).add(c);
  expect(first.sampled).toEqual(before);
});

test.each([0, 3, 2.5])('a capacity of %s is refused', (capacity) => {
  expect(() => createStepSampler({ capacity })).toThrow(/capacity to be an even number/);
});
