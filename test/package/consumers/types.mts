import {
  type Classifier,
  type ImageDataset,
  mobilenetV1,
  recipes,
  type TrainingEpoch,
  trainClassifier,
} from 'mobilenet-v1-ts';
import { type Cifar10ModelInfo, cifar10Classifier, cifar10Models, loadCifar10Model } from 'mobilenet-v1-ts/cifar10';

export async function train(dataset: ImageDataset): Promise<TrainingEpoch[]> {
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], padding: 'keras' });
  // @ts-expect-error: there is no such padding
  mobilenetV1({ padding: 'full' });
  return (await trainClassifier(model, dataset, { optimizer: 'adam' })).history;
}

/** What a recipe has is left out by undefined. */
export async function trainByEpochs(dataset: ImageDataset, signal: AbortSignal | undefined): Promise<TrainingEpoch[]> {
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], seed: undefined });
  const options = { ...recipes.quick, epochs: 3, maxMinutes: undefined, signal };
  return (await trainClassifier(model, dataset, options)).history;
}

export async function trainFurther(dataset: ImageDataset): Promise<TrainingEpoch[]> {
  return (await trainClassifier(await loadCifar10Model({ alpha: 1 }), dataset)).history;
}

export function best(): Promise<Classifier> {
  const { alpha }: Cifar10ModelInfo = cifar10Models[0]!;
  // @ts-expect-error: there is no such width
  cifar10Classifier({ alpha: 0.75 });
  return cifar10Classifier({ alpha, precision: 'int8', url: 'https://example.com/cifar10' });
}
