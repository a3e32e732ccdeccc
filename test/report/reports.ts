import type { ReportEpoch, ReportPicture, ReportStep, TrainingReport } from '../../src/report/trainingReport';

const NAMES = ['cat', 'dog', 'owl'];

/** A small report of `epochs` epochs of 10 steps, of which each number is known. */
export function makeReport(epochs = 2, changes: Partial<TrainingReport> = {}): TrainingReport {
  return {
    title: 'A training',
    status: { state: 'finished', epoch: epochs, step: 10 * epochs, progress: 1, seconds: 61 * epochs },
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    classNames: NAMES,
    samples: NAMES.map((_, label) => ({ ...makePicture(label), label })),
    epochs: Array.from({ length: epochs }, (_, i) => makeEpoch(i + 1)),
    steps: Array.from({ length: 10 * epochs }, (_, i) => makeStep(i + 1)),
    evaluation: {
      name: 'test',
      loss: 0.5,
      accuracy: 0.75,
      perClass: NAMES.map((className, k) => ({
        className,
        accuracy: [0.9, 0.6, Number.NaN][k]!,
        size: [20, 20, 0][k]!,
      })),
      confusionMatrix: [
        [18, 2, 0],
        [7, 12, 1],
        [0, 0, 0],
      ],
    },
    mistakes: [{ picture: makePicture(7), label: 0, predicted: 1, probability: 0.987 }],
    settings: { batchSize: 128, nesterov: true, clipNorm: null, threads: undefined },
    environment: { engine: 'fused' },
    ...changes,
  };
}

export function makeEpoch(epoch: number): ReportEpoch {
  return {
    epoch,
    loss: 1 / epoch,
    accuracy: 1 - 1 / (epoch + 1),
    valLoss: 1.1 / epoch,
    valAccuracy: 1 - 1.2 / (epoch + 1),
    learningRate: 0.1 / epoch,
    imagesPerSecond: 800 + epoch,
    seconds: 61,
  };
}

export function makeStep(step: number): ReportStep {
  return {
    step,
    epoch: step / 10,
    loss: 2 / step,
    accuracy: 1 - 1 / (step + 1),
    learningRate: 0.1,
    imagesPerSecond: 800 + step,
  };
}

/** 3 x 2 pixels, RGB, no two bytes alike. */
export function makePicture(seed: number): ReportPicture {
  return {
    data: Uint8Array.from({ length: 18 }, (_, i) => (seed * 40 + i * 13) % 256),
    height: 2,
    width: 3,
    channels: 3,
  };
}
