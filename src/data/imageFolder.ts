import { fail, type MobilenetError } from '../errors';
import {
  checkIndices,
  type ImageDataset,
  type LabelledImages,
  type PictureResizing,
  WHOLE_PICTURES,
} from './imageDataset';
import { type LabelledFiles, labelByCsv, labelBySubFolder } from './imageFolderLabels';
import { type LoadImageFolderOptions, resolveImageFolderOptions } from './imageFolderOptions';
import { decodePictures } from './imageFolderPictures';
import { type ImageFolderSource, openImageFolder } from './imageFolderSource';

/** How many broken pictures an error names. */
const SHOWN = 5;

/** A picture that could not be decoded. */
export interface BrokenPicture {
  /** Its path in the folder. */
  readonly file: string;
  readonly reason: string;
}

/** N pictures of a folder, resized to H x W x C; see {@link loadImageFolder}. */
export interface ImageFolderDataset extends ImageDataset {
  /** `[N]` */
  readonly labels: Int32Array;
  readonly resizing: PictureResizing;
  /** `[N]`, the pictures' paths in the folder, '/' between names. */
  readonly files: readonly string[];
  /** What was left out. */
  readonly broken: readonly BrokenPicture[];
  /**
   * Decodes in parallel what is not kept in memory.
   *
   * @throws {MobilenetError} `invalid-argument` for an index that there is not; `file-system` or `invalid-data` where a
   * file was removed or changed since it was loaded.
   */
  read(indices: ArrayLike<number>): Promise<LabelledImages>;
}

/**
 * Your own pictures, from a folder with one sub-folder for each class, or with a CSV file that names their classes.
 *
 * JPEG, PNG, WebP and GIF files (in browsers BMP, too; in Node the package `sharp` is to be installed for it), of any
 * size: each is turned upright as EXIF says and resized as `createClassifier` does it, so that a model sees the same
 * pixels in training and later. Folders within a class belong to it; hidden files, pictures beside the sub-folders and
 * files that are no pictures by their name are left out. All pictures are decoded once, so that broken ones are known.
 *
 * The order is the same on every platform: by class, then by path; or that of the CSV.
 *
 * @throws {MobilenetError} `invalid-argument`; `file-system` where there is no such folder; `invalid-data` where it has
 * fewer than two classes, a broken picture or, without `classNames`, a class without pictures, or where the CSV is wrong;
 * `missing-backend` where there is no `sharp`. The signal's reason where it was aborted.
 * @example
 * ```ts
 * const pets = await loadImageFolder('pets', { size: 96, broken: 'skip' });
 * console.log(pets.classNames, pets.size, pets.broken);
 * await trainClassifier(mobilenetV1({ classes: 2, inputShape: [96, 96, 3] }), pets, { epochs: 10 });
 * ```
 */
export async function loadImageFolder(
  source: ImageFolderSource,
  options: LoadImageFolderOptions = {},
): Promise<ImageFolderDataset> {
  const settings = resolveImageFolderOptions(options);
  settings.signal?.throwIfAborted();
  const folder = await openImageFolder(source);
  const listed = await (settings.csv === undefined ? labelBySubFolder : labelByCsv)(folder, settings);
  const { errors, read } = await decodePictures(folder, listed.files, settings);
  checkBroken(listed, errors, settings.broken);

  const whole = listed.files.flatMap((_, i) => (errors[i] === undefined ? [i] : []));
  const { height, width, channels, fit } = settings;
  return {
    ...{ size: whole.length, height, width, channels, classNames: listed.classNames },
    resizing: { ...WHOLE_PICTURES, fit },
    labels: Int32Array.from(whole, (i) => listed.labels[i]!),
    files: whole.map((i) => listed.files[i]!),
    broken: listed.files.flatMap((file, i) => (errors[i] ? [{ file, reason: reasonOf(errors[i], file) }] : [])),
    async read(indices) {
      checkIndices(indices, whole.length);
      const wanted = Int32Array.from(indices, (index) => whole[index]!);
      return { images: await read(wanted), labels: wanted.map((i) => listed.labels[i]!) };
    },
  };
}

/** Throws `invalid-data` where broken pictures are refused, or where a class has no others. */
function checkBroken(
  { files, labels, classNames }: LabelledFiles,
  errors: readonly (MobilenetError | undefined)[],
  broken: 'refuse' | 'skip',
): void {
  const first = errors.find((error) => error !== undefined);
  if (first === undefined) return;
  const withWhole = new Set(labels.filter((_, i) => errors[i] === undefined));
  const lost = [...new Set(labels)].filter((label) => !withWhole.has(label));
  if (broken === 'skip' && lost.length === 0) return;
  const names = files.filter((_, i) => errors[i] !== undefined);
  const shown = names.length > SHOWN ? [...names.slice(0, SHOWN), '...'] : names;
  const ofLost = lost.map((label) => classNames[label]).join(', ');
  fail({
    code: 'invalid-data',
    where: 'loadImageFolder',
    expected: broken === 'skip' ? `pictures of ${ofLost} that are not broken` : 'pictures that are not broken',
    received: `${names.length} broken ones of ${files.length}: ${shown.join(', ')}`,
    remedy: `${broken === 'skip' ? 'Mend them' : "Mend or remove them, or pass { broken: 'skip' }"}. ${first.message}`,
    cause: first,
  });
}

/** The message, without the name that stands beside it. */
function reasonOf({ message }: MobilenetError, file: string): string {
  return message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;
}
