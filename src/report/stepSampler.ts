import { check, checkOptions } from '../errors';
import type { ReportStep } from './trainingReport';

/** What a sampler has kept, as plain data; a checkpoint may hold it. */
export interface SampledSteps {
  /** At most `capacity`; each the mean of `stride` steps, the last one of `inLast`. */
  points: ReportStep[];
  stride: number;
  inLast: number;
}

/** Keeps the curves of a training of any length; see {@link createStepSampler}. */
export interface StepSampler {
  add(step: ReportStep): void;
  /** What is kept so far, oldest first. */
  readonly sampled: Readonly<SampledSteps>;
}

/** Options for {@link createStepSampler}. */
export interface StepSamplerOptions {
  /** Points to keep at most, an even number of at least 2. @default 1000 */
  capacity?: number | undefined;
  /** What an earlier sampler of the same capacity kept, to go on from. */
  sampled?: Readonly<SampledSteps> | undefined;
}

/**
 * Keeps a limited number of points of a training, evenly over all of it: whenever they are too many, every two become
 * their mean. A point carries the position of its last step, and the mean of everything else.
 *
 * @throws {MobilenetError} `invalid-argument` where the capacity is not even
 * @example
 * ```ts
 * const sampler = createStepSampler({ capacity: 2 });
 * const same = { accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 800 };
 * [3, 2, 1].forEach((loss, i) => sampler.add({ step: i + 1, epoch: (i + 1) / 3, loss, ...same }));
 * console.log(sampler.sampled.points.map(({ loss }) => loss)); // [2.5, 1]
 * ```
 */
export function createStepSampler(options: StepSamplerOptions = {}): StepSampler {
  checkOptions('createStepSampler', options, { capacity: 'any', sampled: 'object' });
  const { capacity = 1000, sampled = { points: [], stride: 1, inLast: 0 } } = options;
  check(Number.isInteger(capacity) && capacity >= 2 && capacity % 2 === 0, {
    where: 'createStepSampler',
    expected: 'capacity to be an even number of at least 2',
    received: capacity,
  });
  const kept = { ...sampled, points: [...sampled.points] };
  return {
    sampled: kept,
    add(step) {
      const last = kept.points.at(-1);
      if (last && kept.inLast < kept.stride) {
        kept.points[kept.points.length - 1] = joined(last, kept.inLast, step, 1);
        kept.inLast += 1;
        return;
      }
      if (kept.points.length >= capacity) halve(kept);
      kept.points.push(step);
      kept.inLast = 1;
    },
  };
}

function halve(kept: SampledSteps): void {
  const { points } = kept;
  kept.points = points.flatMap((point, i) => (i % 2 === 1 ? [joined(points[i - 1]!, 1, point, 1)] : []));
  kept.stride *= 2;
}

/** Two points as one, the second being the later. */
function joined(a: ReportStep, stepsInA: number, b: ReportStep, stepsInB: number): ReportStep {
  const mean = (name: keyof ReportStep) => (a[name] * stepsInA + b[name] * stepsInB) / (stepsInA + stepsInB);
  return {
    step: b.step,
    epoch: b.epoch,
    loss: mean('loss'),
    accuracy: mean('accuracy'),
    learningRate: mean('learningRate'),
    imagesPerSecond: mean('imagesPerSecond'),
  };
}
