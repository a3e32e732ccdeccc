import { platform } from '#platform';
import { check, fail } from '../errors';
import { csvRows } from './csvRows';
import type { ImageFolderSettings } from './imageFolderOptions';
import { type PictureFolder, pictureEndings } from './imageFolderSource';
import { inParallel } from './inParallel';
import { readBlob } from './readBlob';

/** N pictures of a folder and their classes. */
export interface LabelledFiles {
  /** `[N]` paths */
  readonly files: readonly string[];
  /** `[N]` class indices */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
}

// What to do about sub-folders is told without options: the command line prints it, too, and has none of them.

const WHERE = 'loadImageFolder';

/** Every sub-folder is a class; pictures in the order of their classes, then of their paths, code unit by code unit. */
export async function labelBySubFolder(folder: PictureFolder, settings: ImageFolderSettings): Promise<LabelledFiles> {
  const pictures = await folder.subFolders(settings.signal);
  const empty = [...pictures.keys()].filter((name) => pictures.get(name)!.length === 0);
  if (empty.length > 0 && settings.classNames === undefined) {
    fail({
      code: 'invalid-data',
      where: WHERE,
      expected: 'pictures in every sub-folder',
      received: `none in ${empty.sort().join(', ')}`,
      remedy: `Remove the folder, or put pictures into it (${pictureEndings().join(', ')}).`,
    });
  }
  for (const name of empty) pictures.delete(name);
  const classNames = namesOf(pictures.keys(), settings.classNames, 'sub-folders');
  const paths = classNames.map((name) => (pictures.get(name) ?? []).sort());
  return { files: paths.flat(), labels: paths.flatMap((files, label) => files.map(() => label)), classNames };
}

/** The pictures that a CSV file names, in its order. */
export async function labelByCsv(folder: PictureFolder, settings: ImageFolderSettings): Promise<LabelledFiles> {
  const { text, name } = await readCsv(settings.csv!);
  const [header, ...lines] = csvRows(text, name);
  // A spreadsheet writes rows that were cleared as commas alone.
  const rows = lines.filter(({ fields }) => fields.some((field) => field.trim() !== ''));
  const columns = header?.fields.map((column) => column.trim()) ?? [];
  const column = (title: string) => {
    const at = columns.indexOf(title);
    if (at >= 0) return rows.map(({ fields }) => fields[at]!.trim());
    return refuse(name, `a column '${title}'`, columns.join(', ') || 'no header', COLUMNS);
  };
  const line = (i: number) => `${name}, line ${rows[i]!.line}`;
  const files = column(settings.fileColumn).map((file, i) => pathInFolder(file, line(i)));
  const labels = column(settings.labelColumn);
  const unlabelled = labels.indexOf('');
  if (unlabelled >= 0) refuse(line(unlabelled), 'a label', 'none', 'Give every picture a class.');
  const places = new Map<string, number>();
  files.forEach((file, i) => {
    const before = places.get(file);
    if (before !== undefined) refuse(line(i), 'every file once', `${file}, as in line ${rows[before]!.line}`, ONCE);
    places.set(file, i);
  });
  await inParallel(files.length, settings.concurrency, async (i) => {
    settings.signal?.throwIfAborted();
    if (!(await folder.has(files[i]!))) refuse(line(i), 'a file of the folder', files[i]!, RELATIVE);
  });
  const classNames = namesOf(new Set(labels), settings.classNames, 'labels');
  const indexOf = new Map(classNames.map((className, k) => [className, k]));
  return { files, labels: labels.map((label) => indexOf.get(label)!), classNames };
}

/** What tells the classes, and what to do where it tells fewer than two. */
const AT_LEAST_TWO = {
  'sub-folders': 'Give the folder that holds one sub-folder for each class.',
  labels: 'Label the pictures with at least two classes.',
};

type Labelling = keyof typeof AT_LEAST_TWO;

/** The classes that there are, or those that were asked for, which all of them must be among. */
function namesOf(found: Iterable<string>, asked: readonly string[] | undefined, what: Labelling): readonly string[] {
  const names = [...found].sort();
  const unknown = names.filter((name) => !(asked ?? names).includes(name));
  check(unknown.length === 0, {
    where: WHERE,
    expected: `${what} that the class names have`,
    received: unknown.join(', '),
    remedy: 'Rename or remove them, or add them to the class names.',
  });
  const classNames = asked ?? names;
  if (classNames.length >= 2 && names.length > 0) return classNames;
  fail({
    code: 'invalid-data',
    where: WHERE,
    expected: `${what} of at least two classes`,
    received: names.join(', ') || 'none',
    remedy: AT_LEAST_TWO[what],
  });
}

/** A text is told from a path by its line breaks. */
async function readCsv(csv: string | URL | Blob): Promise<{ text: string; name: string }> {
  if (typeof csv === 'string' && /[\r\n]/.test(csv)) return { text: csv, name: 'csv' };
  const name = csv instanceof Blob ? ((csv as Partial<File>).name ?? 'csv') : String(csv);
  const bytes = csv instanceof Blob ? await readBlob(csv, name) : await platform.readFile(name);
  return { text: decodeCsv(bytes, name), name };
}

/** Were unknown bytes replaced, classes whose names differ in those alone would become one. */
function decodeCsv(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse(name, 'a text in UTF-8', 'another encoding', 'Save it as CSV UTF-8.');
  }
}

/** A path that leads nowhere but into the folder, and is written in one way only. */
function pathInFolder(file: string, where: string): string {
  const names = file.split(/[/\\]/);
  if (/^([/\\]|[a-z]:[/\\]|[a-z]+:\/\/)/i.test(file) || names.includes('..'))
    refuse(where, 'a file of the folder', file, RELATIVE);
  const path = names.filter((name) => name !== '' && name !== '.').join('/');
  return path || refuse(where, 'a file of the folder', 'none', RELATIVE);
}

const RELATIVE = 'Write its path from the folder on, such as cats/1.jpg.';
const ONCE = 'Keep one of the two lines; a picture has one class.';
const COLUMNS = 'Name the columns by fileColumn and labelColumn; commas separate them.';

function refuse(where: string, expected: string, received: string, remedy: string): never {
  fail({ code: 'invalid-data', where, expected, received, remedy });
}
