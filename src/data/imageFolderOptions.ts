import { platform } from '#platform';
import { check, checkInteger, checkOptions } from '../errors';

/** How far {@link loadImageFolder} is. */
export interface ImageFolderProgress {
  /** Pictures decoded so far, broken ones with them. */
  done: number;
  total: number;
}

/** Options for {@link loadImageFolder}. */
export interface LoadImageFolderOptions {
  /** What pictures are resized to: height and width, or one number for both. @default 224 */
  size?: number | readonly [height: number, width: number] | undefined;
  /** 3 for RGB, 1 for luma. Transparency is left out. @default 3 */
  channels?: 1 | 3 | undefined;
  /**
   * What is kept of a picture of another shape: `'crop'` the largest centred window that has the shape of `size`,
   * `'stretch'` all of it, squeezed along one side. As `preprocessing.fit` of `createClassifier`. @default 'crop'
   */
  fit?: 'crop' | 'stretch' | undefined;
  /**
   * The classes in the order of their indices; one without pictures is allowed, as a small test set may lack some.
   * @default the sub-folders, or the labels of the CSV, sorted by code unit ('10' comes before '2')
   */
  classNames?: readonly string[] | undefined;
  /**
   * Takes the classes from a CSV file in place of sub-folders: its path or `file:` URL in Node, a Blob or File, or its
   * text, header and all. It is in UTF-8, and names files by their paths in the folder.
   */
  csv?: string | URL | Blob | undefined;
  /** The CSV's column of paths. @default 'file' */
  fileColumn?: string | undefined;
  /** The CSV's column of classes. @default 'label' */
  labelColumn?: string | undefined;
  /**
   * `'refuse'` throws where a picture cannot be decoded, after all of them were tried; `'skip'` leaves it out and lists it
   * in the dataset's `broken`. @default 'refuse'
   */
  broken?: 'refuse' | 'skip' | undefined;
  /**
   * How much of the resized pictures is kept in memory, in units of 2^20 bytes; what is beyond it is decoded again
   * whenever it is read. @default 1024
   */
  memoryLimitMegabytes?: number | undefined;
  /** Pictures decoded at a time, each of which takes the memory of its full size. @default the number of processors */
  concurrency?: number | undefined;
  /** Called after each picture. */
  onProgress?: ((progress: ImageFolderProgress) => void) | undefined;
  /** Stops the load; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options with every default filled in. */
export interface ImageFolderSettings {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly fit: 'crop' | 'stretch';
  readonly classNames: readonly string[] | undefined;
  readonly csv: string | URL | Blob | undefined;
  readonly fileColumn: string;
  readonly labelColumn: string;
  readonly broken: 'refuse' | 'skip';
  readonly memoryLimitMegabytes: number;
  readonly concurrency: number;
  readonly onProgress: ((progress: ImageFolderProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

const WHERE = 'loadImageFolder';

const FOLDER_OPTIONS = {
  size: 'any',
  channels: 'any',
  fit: 'any',
  classNames: 'any',
  csv: 'any',
  fileColumn: 'string',
  labelColumn: 'string',
  broken: 'any',
  memoryLimitMegabytes: 'number',
  concurrency: 'any',
  onProgress: 'function',
  signal: 'signal',
} as const;

/** Fills in the defaults; throws `invalid-argument` where an option is out of its range. */
export function resolveImageFolderOptions(options: LoadImageFolderOptions): ImageFolderSettings {
  checkOptions(WHERE, options, FOLDER_OPTIONS);
  const { size = 224, channels = 3, fit = 'crop', broken = 'refuse', memoryLimitMegabytes = 1024 } = options;
  const { classNames, csv, concurrency = platform.processors(), onProgress, signal } = options;
  const sides = typeof size === 'number' ? [size, size] : size;
  check(Array.isArray(sides) && sides.length === 2 && sides.every((side) => Number.isInteger(side) && side >= 1), {
    where: WHERE,
    expected: 'size to be an integer of at least 1, or two: [height, width]',
    received: size,
  });
  check(channels === 1 || channels === 3, { where: WHERE, expected: 'channels to be 1 or 3', received: channels });
  check(['crop', 'stretch'].includes(fit), { where: WHERE, expected: "fit to be 'crop' or 'stretch'", received: fit });
  check(['refuse', 'skip'].includes(broken), {
    where: WHERE,
    expected: "broken to be 'refuse' or 'skip'",
    received: broken,
  });
  check(memoryLimitMegabytes >= 0, {
    where: WHERE,
    expected: 'memoryLimitMegabytes to be at least 0',
    received: memoryLimitMegabytes,
  });
  checkInteger(WHERE, 'concurrency', concurrency, 1);
  if (classNames !== undefined) checkClassNames(classNames);
  const isCsv = typeof csv === 'string' || csv instanceof URL || csv instanceof Blob;
  check(csv === undefined || isCsv, {
    where: WHERE,
    expected: 'csv to be a path, a File or a text',
    received: Object.prototype.toString.call(csv),
  });
  const { fileColumn = 'file', labelColumn = 'label' } = options;
  const [height, width] = sides as [number, number];
  return {
    ...{ height, width, channels, fit, classNames, csv, fileColumn, labelColumn },
    ...{ broken, memoryLimitMegabytes, concurrency, onProgress, signal },
  };
}

function checkClassNames(classNames: readonly string[]): void {
  const isList = Array.isArray(classNames) && classNames.every((name) => typeof name === 'string');
  check(isList && new Set(classNames).size === classNames.length && classNames.length >= 2, {
    where: WHERE,
    expected: 'classNames to be at least two different names',
    received: classNames,
  });
}
