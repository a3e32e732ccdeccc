import {
  type Cifar10,
  type ImageDataset,
  type InMemoryImageDataset,
  inMemoryDataset,
  loadCifar10,
  MobilenetError,
  splitDataset,
  syntheticCifar10,
  takeDataset,
} from 'mobilenet-v1-ts';
import type { PictureSource, SamplePicture } from '../protocol';
import { readPrivateFile, writePrivateFile } from './privateFiles';
import { type ReadPictures, readPictures } from './readPictures';
import { emit } from './serve';

/** What a network learns from, and what is held back to measure it. */
export interface RunPictures {
  train: ImageDataset;
  validation: ImageDataset;
  broken: ReadPictures['broken'];
}

/** Of CIFAR-10's test pictures, so that an epoch does not wait long for its figures. */
const CIFAR_10_VALIDATION = 2000;

/** The same for drawn pictures on every visit, so that a training can go on. */
const DRAWN_SEED = 1;

const FILES = { table: 'pictures.json', pixels: 'pictures.bin' };

/** What {@link removePrivate} removes them by. */
export const STORED_PICTURES = Object.values(FILES);

export function titleOf(source: PictureSource): string {
  switch (source.kind) {
    case 'drawn':
      return 'Drawn figures';
    case 'cifar10':
      return 'CIFAR-10';
    case 'own':
      return source.classes.map(({ name }) => name).join(', ');
  }
}

/** Whether pictures come again without what people gave. */
export function comeAgain(source: PictureSource): boolean {
  return source.kind === 'drawn' || (source.kind === 'cifar10' && source.archive === undefined);
}

export async function openPictures(
  source: PictureSource,
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<RunPictures> {
  switch (source.kind) {
    case 'drawn': {
      const { train, test } = syntheticCifar10({ seed: DRAWN_SEED });
      return { train, validation: test, broken: [] };
    }
    case 'cifar10': {
      const { train, test } = await openCifar10(source.archive, signal);
      return { train, validation: takeDataset(test, CIFAR_10_VALIDATION), broken: [] };
    }
    case 'own': {
      const { dataset, broken } = await readPictures(source.classes, { size: source.size, signal });
      return { ...(await splitDataset(dataset, { fraction: 0.2, seed })), broken };
    }
  }
}

/** From an archive, or else from the official address. */
async function openCifar10(archive: File | undefined, signal: AbortSignal): Promise<Cifar10> {
  try {
    return await loadCifar10({
      ...(archive && { source: archive }),
      signal,
      onProgress: ({ phase, loaded, total }) =>
        emit('loading', { what: phase === 'download' ? 'Downloading CIFAR-10' : 'Unpacking', done: loaded, total }),
    });
  } catch (error) {
    if (!(error instanceof MobilenetError) || error.code !== 'download-failed') throw error;
    const problem = 'CIFAR-10 could not be fetched: there is no network, or its server does not let pages have it.';
    const remedy =
      'Download cifar-10-binary.tar.gz from www.cs.toronto.edu/~kriz/cifar.html and choose the archive here.';
    throw new Error(`${problem} ${remedy}`, { cause: error });
  }
}

export function drawFigure(): SamplePicture {
  const { train } = syntheticCifar10({ train: 10, test: 1, seed: crypto.getRandomValues(new Uint32Array(1))[0]! });
  const { images, labels } = train.read([0]);
  return { data: images, height: train.height, width: train.width, channels: train.channels, label: labels[0]! };
}

/** The shape of what is stored; the pixels of `train` come first in the other file. */
interface StoredTable {
  height: number;
  width: number;
  channels: number;
  classNames: readonly string[];
  train: number[];
  validation: number[];
}

/** Writes pictures to this device. */
export async function storePictures({ train, validation }: RunPictures): Promise<void> {
  const [learned, held] = [await readAll(train), await readAll(validation)];
  const { height, width, channels, classNames } = train;
  const table: StoredTable = {
    ...{ height, width, channels, classNames },
    train: [...learned.labels],
    validation: [...held.labels],
  };
  await writePrivateFile(FILES.pixels, new Blob([learned.images, held.images] as BlobPart[]));
  await writePrivateFile(FILES.table, JSON.stringify(table));
}

/** Undefined where there are none. */
export async function restorePictures(): Promise<RunPictures | undefined> {
  const [table, pixels] = [await readPrivateFile(FILES.table), await readPrivateFile(FILES.pixels)];
  if (!table || !pixels) return undefined;
  const { height, width, channels, classNames, ...labels } = JSON.parse(await table.text()) as StoredTable;
  const bytes = new Uint8Array(await pixels.arrayBuffer());
  const boundary = labels.train.length * height * width * channels;
  const datasetOf = (images: Uint8Array, labels: number[]): InMemoryImageDataset =>
    inMemoryDataset({ images, labels, height, width, channels, classNames });
  return {
    train: datasetOf(bytes.subarray(0, boundary), labels.train),
    validation: datasetOf(bytes.subarray(boundary), labels.validation),
    broken: [],
  };
}

async function readAll(dataset: ImageDataset) {
  return dataset.read(Uint32Array.from({ length: dataset.size }, (_, i) => i));
}
