import { type InMemoryImageDataset, inMemoryDataset, loadImageFolder } from 'mobilenet-v1-ts';
import type { PictureClass } from '../protocol';
import { emit } from './serve';

export interface ReadPictures {
  dataset: InMemoryImageDataset;
  broken: { file: string; reason: string }[];
}

interface ReadPicturesOptions {
  /** Height and width that pictures are resized to. */
  size: number;
  /** In the order of their indices: those of the pictures and, it may be, others. @default the order of `classes` */
  classNames?: readonly string[];
  signal?: AbortSignal;
}

/** Decodes what people gave; broken pictures are left out. */
export async function readPictures(
  classes: readonly PictureClass[],
  { size, classNames = classes.map(({ name }) => name), signal }: ReadPicturesOptions,
): Promise<ReadPictures> {
  // Two files may have one name, and a class any name at all: so files get a number, and a table says whose they are.
  const labelled = classes.flatMap(({ name, files }) => files.map((file) => ({ name, file })));
  const files = labelled.map(({ file }, i) => new File([file], `${i} ${file.name.replace(/[/\\]/g, ' ').trim()}`));
  const rows = files.map((file, i) => `${quoted(file.name)},${quoted(labelled[i]!.name)}`);
  const folder = await loadImageFolder(files, {
    size,
    csv: ['file,label', ...rows, ''].join('\n'),
    classNames,
    broken: 'skip',
    ...(signal && { signal }),
    onProgress: ({ done, total }) => emit('loading', { what: 'Reading the pictures', done, total }),
  });
  const { images, labels } = await folder.read([...folder.files.keys()]);
  const { height, width, channels } = folder;
  return {
    dataset: inMemoryDataset({ images, labels, height, width, channels, classNames }),
    broken: folder.broken.map(({ file, reason }) => ({ file: file.replace(/^\d+ /, ''), reason })),
  };
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
