import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platform } from '#platform';
import { MobilenetError } from '../../index';

/** A picture to classify: where it is, or its bytes; or a folder that gives none, and why. */
export type PictureSource = { name: string; image: string | Uint8Array } | { name: string; refusal: string };

/** What a folder's pictures are called. */
const PICTURE = /\.(jpe?g|png|webp|gif)$/i;

/** Enough for the longest of the signatures below. */
const HEADER_BYTES = 12;

/**
 * The pictures that arguments name: files and addresses as they are, folders with all that is in them, in the order of
 * their paths, and for `-` what comes from stdin. In groups, as they come in: a list that takes long is not waited for.
 *
 * @param openStdin called where there is a `-`
 */
export async function* pictureSources(
  places: readonly string[],
  openStdin: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<PictureSource[]> {
  const expand = async (sources: readonly PictureSource[]) => (await Promise.all(sources.map(expandFolder))).flat();
  const dash = places.indexOf('-');
  if (dash < 0) {
    yield await expand(places.map(atPath));
    return;
  }
  yield await expand(places.slice(0, dash).map(atPath));
  for await (const group of fromStdin(openStdin())) yield await expand(group);
  yield await expand(places.slice(dash + 1).map(atPath));
}

const atPath = (path: string): PictureSource => ({ name: path, image: path });

async function expandFolder(source: PictureSource): Promise<PictureSource[]> {
  if ('refusal' in source || typeof source.image !== 'string') return [source];
  // An address may be longer than a path can be.
  if (/^(https?|data|blob):/i.test(source.image)) return [source];
  const inside = await sourcesIn(source.image);
  if (inside?.length === 0) return [{ name: source.name, refusal: 'a folder without pictures' }];
  return inside ?? [source];
}

/**
 * Undefined where the path is no folder. Left out are hidden files and folders, and links back to a folder on the way.
 *
 * @param above the real paths of the folders on the way
 */
async function sourcesIn(path: string, above: readonly string[] = []): Promise<PictureSource[] | undefined> {
  const names = await listFolder(path);
  if (!Array.isArray(names)) return names && [names];
  const place = /^file:/i.test(path) ? fileURLToPath(path) : path;
  const folder = await platform.realPath(place);
  if (above.includes(folder)) return [];
  const visible = names.filter((name) => !name.startsWith('.') && name !== '__MACOSX');
  const parts = visible.map(async (name) => {
    const inner = join(place, name);
    return PICTURE.test(name) ? [atPath(inner)] : ((await sourcesIn(inner, [...above, folder])) ?? []);
  });
  return (await Promise.all(parts)).flat();
}

/** The names in a folder, or why it cannot be read; undefined where the path is no folder. */
async function listFolder(path: string): Promise<string[] | PictureSource | undefined> {
  try {
    return await platform.listFolder(path);
  } catch (error) {
    if (error instanceof MobilenetError) return { name: path, refusal: error.message };
    throw error;
  }
}

/** One picture where the first bytes are those of one, else paths, divided by line ends or, as of `find -print0`, zeros. */
async function* fromStdin(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<PictureSource[]> {
  let isPicture: boolean | undefined;
  let rest = Buffer.alloc(0);
  for await (const chunk of stdin) {
    rest = Buffer.concat([rest, chunk]);
    if (isPicture === undefined && rest.length < HEADER_BYTES) continue;
    isPicture ??= startsPicture(rest);
    if (isPicture) continue;
    // What is behind the last divider may go on in the next chunk.
    const end = Math.max(rest.lastIndexOf('\n'), rest.lastIndexOf('\0')) + 1;
    yield pathsIn(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  yield (isPicture ?? startsPicture(rest)) ? [{ name: '-', image: new Uint8Array(rest) }] : pathsIn(rest);
}

function pathsIn(bytes: Buffer): PictureSource[] {
  const paths = bytes.toString('utf8').split(/\r?\n|\0/);
  return paths.filter((path) => path !== '').map(atPath);
}

/** By their first bytes: JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF and HEIC. */
function startsPicture(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', 0, HEADER_BYTES);
  return /^(\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP|\0\0.{2}ftyp)/s.test(text);
}
