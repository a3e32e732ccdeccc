import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  augmentBatch,
  freeze,
  type InMemoryImageDataset,
  inMemoryDataset,
  replaceHead,
  trainClassifier,
} from 'mobilenet-v1-ts';
import type { TeachBase, TeachRequest, TeachResult } from '../protocol';
import { modelInUse, useModel } from './modelInUse';
import { namesOf, openPretrained } from './pretrained';
import { readPictures } from './readPictures';
import { rehearse } from './rehearse';
import { emit } from './serve';

/** Times that a picture is shown, each time changed a little: cached features need pictures that stay as they are. */
const COPIES = 8;

const EPOCHS = 20;

/**
 * Teaches classes to a trained network: its feature layers are frozen and run once, and a new head learns on what they
 * put out. Classes that are kept are rehearsed meanwhile, or twenty pictures of a new one would make it forget them.
 */
export async function teach({ base, classes, keep }: TeachRequest): Promise<TeachResult> {
  const old = await openBase(base);
  try {
    const known = keep ? namesOf(old) : [];
    const added = classes.filter(({ name }) => !known.includes(name)).map(({ name }) => name);
    const classNames = [...known, ...added];
    const size = old.inputs[0]!.shape[1]!;
    const { dataset, broken } = await readPictures(classes, { size, classNames });
    const start = performance.now();
    const model = replaceHead(old, { classNames, keep, seed: 1 });
    try {
      freeze(model);
      const rehearsed = keep ? [await rehearse(old, classNames, size)] : [];
      await trainHead(model, joinPictures([...changedCopies(dataset), ...rehearsed]));
      await useModel(model, `Taught: ${classes.map(({ name }) => name).join(', ')}`);
    } catch (error) {
      model.dispose();
      throw error;
    }
    return { seconds: (performance.now() - start) / 1000, pictures: dataset.size, broken };
  } finally {
    if (base !== 'current') old.dispose();
  }
}

async function openBase(base: TeachBase): Promise<LayersModel> {
  return base === 'current' ? modelInUse().model : openPretrained(base);
}

async function trainHead(model: LayersModel, pictures: InMemoryImageDataset): Promise<void> {
  const tell = (done: number) => emit('loading', { what: 'Learning', done, total: EPOCHS });
  tell(0);
  await trainClassifier(model, pictures, {
    epochs: EPOCHS,
    batchSize: 32,
    learningRate: 0.001,
    seed: 1,
    onEpoch: ({ epoch }) => tell(epoch),
  });
}

function changedCopies(dataset: InMemoryImageDataset): InMemoryImageDataset[] {
  const { images, labels, height, width, channels, classNames } = dataset;
  const batch = { images, labels, height, width, channels, classes: classNames.length };
  const augmentation = {
    crop: { padding: Math.round(height / 10), fill: 'reflect' },
    flip: 'random',
    brightness: 0.2,
    contrast: 0.2,
  } as const;
  return Array.from({ length: COPIES }, (_, epoch) =>
    inMemoryDataset({ ...dataset, images: augmentBatch(batch, augmentation, { epoch }).images }),
  );
}

/** Datasets of the same classes as one. */
function joinPictures(parts: readonly InMemoryImageDataset[]): InMemoryImageDataset {
  const images = new Uint8Array(parts.reduce((bytes, part) => bytes + part.images.length, 0));
  let end = 0;
  for (const part of parts) {
    images.set(part.images, end);
    end += part.images.length;
  }
  const labels = parts.flatMap((part) => [...part.labels]);
  return inMemoryDataset({ ...parts[0]!, images, labels });
}
