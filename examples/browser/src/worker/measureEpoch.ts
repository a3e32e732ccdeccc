import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  createClassifier,
  evaluateClassifier,
  type ImageDataset,
  reportPictures,
  type TrainingEpoch,
} from 'mobilenet-v1-ts';
import type { EpochReport, SamplePicture } from '../protocol';

const SAMPLES = 15;

/** Some pictures, evenly from all of a dataset, so that every class has its share. */
export function pickSamples(dataset: ImageDataset): Promise<SamplePicture[]> {
  const count = Math.min(SAMPLES, dataset.size);
  return reportPictures(
    dataset,
    Array.from({ length: count }, (_, i) => Math.floor((i * dataset.size) / count)),
  );
}

/** What a model makes of the pictures that are held back, and of each sample. */
export async function measureEpoch(
  model: LayersModel,
  { epoch, loss, accuracy, imagesPerSecond }: TrainingEpoch,
  { validation, samples }: { validation: ImageDataset; samples: SamplePicture[] },
): Promise<EpochReport> {
  const evaluation = await evaluateClassifier(model, validation);
  const classifier = await createClassifier(model);
  try {
    const guesses = await classifier.classifyBatch(samples, { topK: 1 });
    return {
      ...{ epoch, loss, accuracy, imagesPerSecond },
      valLoss: evaluation.loss,
      valAccuracy: evaluation.accuracy,
      confusionMatrix: evaluation.confusionMatrix,
      guesses: guesses.map(([best]) => best!),
    };
  } finally {
    await classifier.dispose();
  }
}
