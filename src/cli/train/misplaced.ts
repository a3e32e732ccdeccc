import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platform } from '#platform';
import type { CheckpointPlace } from './checkpointPlace';
import type { TrainOptions } from './trainOptions';

/** What is wrong with where a training is to write; undefined where nothing is. */
export async function misplaced(
  { data, out, report, resume }: TrainOptions,
  { folder }: CheckpointPlace,
  isFolderOfPictures: boolean,
): Promise<string | undefined> {
  if (out === '' || isAddress(out) || out.endsWith('.json') || (await platform.fileSize(out)) !== undefined) {
    return `--out: expected a folder for the model, received '${out}'. Name one, such as trained-model.`;
  }
  if (!isFolderOfPictures) return undefined;
  const places = { '--out': out, '--report': report, [resume === undefined ? '--checkpoint' : '--resume']: folder };
  const inside = Object.entries(places).find(([, place]) => place !== undefined && wouldBeClass(place, data.place));
  if (inside === undefined) return undefined;
  const [option, place] = inside;
  const expected = `a folder outside of ${data.place}, in which each folder is a class`;
  return `${option}: expected ${expected}, received '${place}'. Name another, or one that begins with a dot, as hidden folders do.`;
}

const isAddress = (place: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(place);

/** Whether it is the folder of pictures or lies in it, and in none that is hidden. */
function wouldBeClass(place: string, pictures: string): boolean {
  const way = relative(/^file:/i.test(pictures) ? fileURLToPath(pictures) : pictures, place);
  // '..' begins with a dot, too.
  return !isAbsolute(way) && !way.split(/[\\/]/).some((name) => name.startsWith('.'));
}
