import { platform } from '#platform';
import {
  type ImageDataset,
  loadCifar10,
  loadImageFolder,
  subsetDataset,
  syntheticCifar10,
  takeDataset,
} from '../../index';
import { type Session, say } from '../session';
import type { DataPlace } from './dataPlace';
import { withProgressBar } from './progressBar';

/** Pictures to train or to measure with. */
export interface Pictures {
  name: string;
  /** All pictures of a folder; the training pictures of what has two parts. */
  train: ImageDataset;
  /** Undefined where the pictures have one part only. */
  test: ImageDataset | undefined;
}

/** How a folder of pictures is read; CIFAR-10 is as it is. */
export interface FolderReading {
  /** Height and width. */
  size: readonly [number, number];
  channels: 1 | 3;
  /** What is kept of pictures of other shapes; the library's default where undefined. */
  fit: 'crop' | 'stretch' | undefined;
  /** In the order of their indices; what the sub-folders are called where undefined. */
  classNames: readonly string[] | undefined;
}

/** Whether it is a folder of pictures, which are resized; others are 32 x 32. */
export async function isFolderOfPictures({ place, isCifar10 }: DataPlace): Promise<boolean> {
  return place !== 'synthetic' && !isCifar10 && !(await isCopyOfCifar10(place));
}

/** Loads pictures; at most `limit` of each part. */
export async function loadPictures(
  data: DataPlace,
  folder: FolderReading,
  limit: number | undefined,
  session: Session,
): Promise<Pictures> {
  const { place } = data;
  if (place === 'synthetic') {
    const atMost = (size: number) => Math.min(size, limit ?? size);
    return { name: 'synthetic', ...syntheticCifar10({ train: atMost(5000), test: atMost(1000) }) };
  }
  if (await isFolderOfPictures(data)) {
    const train = await readFolder(place, folder, session);
    return { name: place, train: limit === undefined ? train : spread(train, limit), test: undefined };
  }
  const { train, test } = await readCifar10(place, session);
  const take = (dataset: ImageDataset) => (limit === undefined ? dataset : takeDataset(dataset, limit));
  return { name: 'CIFAR-10', train: take(train), test: take(test) };
}

/** At most so many pictures, of all parts of a folder, which has one class after the other. */
function spread(dataset: ImageDataset, limit: number): ImageDataset {
  const count = Math.min(limit, dataset.size);
  return subsetDataset(
    dataset,
    Array.from({ length: count }, (_, i) => Math.floor((i * dataset.size) / count)),
  );
}

function readCifar10(place: string, session: Session) {
  const source = place === 'cifar10' ? {} : { source: place };
  return withProgressBar(session, 'CIFAR-10', (report) =>
    loadCifar10({ ...source, signal: session.signal, onProgress: ({ loaded, total }) => report(loaded, total) }),
  );
}

async function readFolder(place: string, folder: FolderReading, session: Session): Promise<ImageDataset> {
  const pictures = await withProgressBar(session, place, (report) =>
    loadImageFolder(place, {
      size: folder.size,
      channels: folder.channels,
      ...(folder.fit && { fit: folder.fit }),
      ...(folder.classNames && { classNames: folder.classNames }),
      broken: 'skip',
      signal: session.signal,
      onProgress: ({ done, total }) => report(done, total),
    }),
  );
  for (const { file, reason } of pictures.broken) say(session, `Left out ${file}: ${reason}`);
  return pictures;
}

/** Folders are told by the names of the files in them. */
async function isCopyOfCifar10(place: string): Promise<boolean> {
  if (/^https?:\/\//i.test(place) || /\.(tar\.gz|tgz)$/i.test(place)) return true;
  const names = (await platform.listFolder(place)) ?? [];
  return names.includes('data_batch_1.bin') || names.includes('cifar-10-batches-bin');
}
