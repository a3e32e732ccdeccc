import { join } from 'node:path';
import { platform } from '#platform';

/** A picture to classify: where it is, or its bytes. */
export interface PictureSource {
  name: string;
  image: string | Uint8Array;
}

/** What a folder's pictures are called. */
const PICTURE = /\.(jpe?g|png|webp|gif|bmp)$/i;

/** Enough for the longest of the signatures below. */
const HEADER_BYTES = 12;

/**
 * The pictures that arguments name: files and addresses as they are, folders with all that is in them, in the order of
 * their paths, and for `-` what comes from `stdin`. In groups, as they come in: a list that takes long is not waited for.
 *
 * @param onEmpty called with a folder that holds no picture
 */
export async function* pictureSources(
  places: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
  onEmpty: (folder: string) => void,
): AsyncGenerator<PictureSource[]> {
  const expand = async (sources: readonly PictureSource[]) => {
    const expanded = await Promise.all(sources.map((source) => expandFolder(source, onEmpty)));
    return expanded.flat();
  };
  const dash = places.indexOf('-');
  if (dash < 0) {
    yield await expand(places.map(atPath));
    return;
  }
  yield await expand(places.slice(0, dash).map(atPath));
  for await (const group of fromStdin(stdin)) yield await expand(group);
  yield await expand(places.slice(dash + 1).map(atPath));
}

const atPath = (path: string): PictureSource => ({ name: path, image: path });

async function expandFolder(source: PictureSource, onEmpty: (folder: string) => void): Promise<PictureSource[]> {
  const inside = typeof source.image === 'string' ? await picturesIn(source.image) : undefined;
  if (inside?.length === 0) onEmpty(source.name);
  return inside?.map(atPath) ?? [source];
}

/** Undefined where the place is no folder. Hidden files and folders are left out. */
async function picturesIn(place: string): Promise<string[] | undefined> {
  const names = await platform.listFolder(place);
  if (names === undefined) return undefined;
  const visible = names.filter((name) => !name.startsWith('.') && name !== '__MACOSX');
  const parts = visible.map(async (name) => {
    const path = join(place, name);
    return PICTURE.test(name) ? [path] : ((await picturesIn(path)) ?? []);
  });
  return (await Promise.all(parts)).flat();
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
