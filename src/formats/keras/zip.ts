import { MobilenetError } from '../../errors';
import { refuse } from '../../io/refuse';
import { loadPackage } from '../loadPackage';

/** Keras stores its files as they are; another tool may have compressed them, but never this much. */
const LARGEST_RATIO = 100;

/** An honest archive has three files, and a few of vocabularies and the like. */
const MOST_ENTRIES = 10_000;

/** The first moment that a zip can name, of whatever time zone: the same files then give the same bytes. */
const NO_TIME = new Date(1980, 0, 1);

const DAMAGED = 'The file is damaged, or not the whole of it came: get it anew.';

const HOSTILE = 'Do not open this file: no tool writes that.';

/**
 * Those files of a zip archive that are asked for and there.
 *
 * Nothing is inflated before its size is known to be no more than it may be, and no more than {@link LARGEST_RATIO} times
 * the archive.
 *
 * @param largest By the names of the files that are wanted how many bytes each may have.
 * @throws {MobilenetError} `invalid-data`, `missing-backend`
 */
export async function readZip<Name extends string>(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  largest: ReadonlyMap<Name, number>,
): Promise<Map<Name, Uint8Array<ArrayBuffer>>> {
  const { unzipSync } = await loadPackage(where, 'fflate', () => import('fflate'));
  const sizes = new Map<Name, number>();
  let entries = 0;
  let total = 0;
  const filter = (file: { name: string; originalSize: number }) => {
    if (++entries > MOST_ENTRIES) refuse(where, `at most ${MOST_ENTRIES} files in the archive`, 'more', DAMAGED);
    const name = file.name as Name;
    const limit = largest.get(name);
    if (limit === undefined) return false;
    if (sizes.has(name)) refuse(where, `${name} once in the archive`, 'twice', DAMAGED);
    sizes.set(name, file.originalSize);
    total += file.originalSize;
    if (file.originalSize > limit || total > LARGEST_RATIO * bytes.length) {
      refuse(where, `a file that is not too large for what it is`, `${file.originalSize} bytes of ${name}`, HOSTILE);
    }
    return true;
  };
  const files = unzip(where, () => unzipSync(bytes, { filter }));
  return new Map(
    [...sizes].map(([name, size]) => {
      const file = files[name];
      if (file?.length !== size) refuse(where, `${size} bytes of ${name}`, file?.length, DAMAGED);
      return [name, file.slice()] as const;
    }),
  );
}

function unzip<Files>(where: string, run: () => Files): Files {
  try {
    return run();
  } catch (error) {
    // Ours are worded already.
    if (error instanceof MobilenetError) throw error;
    return refuse(where, 'a zip archive', (error as Error).message, DAMAGED, error);
  }
}

/** A zip archive of files, not compressed. */
export async function writeZip(
  where: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { zipSync } = await loadPackage(where, 'fflate', () => import('fflate'));
  return zipSync(files, { level: 0, mtime: NO_TIME });
}
