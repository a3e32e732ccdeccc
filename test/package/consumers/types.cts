import { type ImageDataset, mobilenetV1, type TrainingEpoch, trainClassifier } from 'mobilenet-v1-ts';

export async function train(dataset: ImageDataset): Promise<TrainingEpoch[]> {
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], padding: 'keras' });
  // @ts-expect-error: there is no such padding
  mobilenetV1({ padding: 'full' });
  return (await trainClassifier(model, dataset, { optimizer: 'adam' })).history;
}
