import { createStepSampler, type SampledSteps, type StepSampler, type TrainingBatch } from 'mobilenet-v1-ts';
import { emit } from './serve';

/** Between two reports of steps; a page shows no more. */
const REPORT_MS = 100;

/** The curves of a training. */
export interface RunCurves {
  readonly sampled: SampledSteps;
  /** Adds a step, and tells the page some ten a second. */
  add(batch: TrainingBatch): void;
}

/** Curves that go on from those of before. */
export function createRunCurves(before: SampledSteps): RunCurves {
  let sampler: StepSampler | undefined;
  let reported = 0;
  return {
    get sampled() {
      return sampler?.sampled ?? before;
    },
    add(batch) {
      const { loss, accuracy, learningRate, imagesPerSecond, progress, secondsLeft, step } = batch;
      const epoch = batch.epoch - 1 + batch.batch / batch.batches;
      sampler ??= createStepSampler({ sampled: upTo(before, step) });
      sampler.add({ step, epoch, loss, accuracy, learningRate, imagesPerSecond });
      if (performance.now() - reported < REPORT_MS) return;
      reported = performance.now();
      emit('runStep', { epoch, loss, accuracy, imagesPerSecond, progress, secondsLeft });
    },
  };
}

/** Without the steps that are taken again, as their checkpoint was not written any more. */
function upTo({ points, stride }: SampledSteps, step: number): SampledSteps {
  return { points: points.filter((point) => point.step < step), stride, inLast: stride };
}
