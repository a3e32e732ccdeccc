// Folders as browsers give them; Node has the same File.
import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadImageFolder } from '../../src/data/imageFolder';
import { platform } from '../../src/platform/node';
import { smoothPng, writeTree } from './imageFolderFixture';

const invalid = (words: string) => ({ name: 'MobilenetError', message: expect.stringContaining(words) });
const named = (path: string, content: BlobPart = smoothPng(8, 8, path.length)) => new File([content], path);

/** As `<input type="file" webkitdirectory>` gives it. */
function chosen(path: string, content?: BlobPart): File {
  const file = named(path.split('/').at(-1)!, content);
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}

const PATHS = [
  'dogs/2.png',
  'dogs/old/1.png',
  'cats/b.PNG',
  'cats/a.png',
  'dogs/.hidden.png',
  '.git/1.png',
  'notes.txt',
];
const IN_ORDER = ['cats/a.png', 'cats/b.PNG', 'dogs/2.png', 'dogs/old/1.png'];

describe('files', () => {
  test.each<[string, () => Iterable<File>]>([
    ['of a chosen folder, whose name does not count', () => PATHS.map((path) => chosen(`my pets/${path}`))],
    ['of class folders that were chosen one by one', () => PATHS.map((path) => chosen(path))],
    ['with paths for names', () => PATHS.map((path) => named(path))],
    ['of a set', () => new Set(PATHS.map((path) => named(path)))],
  ])('%s', async (_, make) => {
    const { files, labels, classNames } = await loadImageFolder(make(), { size: 8 });
    expect(files).toEqual(IN_ORDER);
    expect([...labels]).toEqual([0, 0, 1, 1]);
    expect(classNames).toEqual(['cats', 'dogs']);
  });

  test('make the same dataset as the folder on the disk, in memory or not', async () => {
    const contents = Object.fromEntries(PATHS.map((path) => [path, smoothPng(20, 12, path.length)]));
    const root = await writeTree(contents);
    const fromDisk = await loadImageFolder(root, { size: 8 });
    await fs.rm(root, { recursive: true });
    const files = PATHS.map((path) => chosen(`pets/${path}`, contents[path]));
    for (const memoryLimitMegabytes of [0, 1]) {
      const fromFiles = await loadImageFolder(files, { size: 8, memoryLimitMegabytes });
      expect(fromFiles.files).toEqual(fromDisk.files);
      expect(await fromFiles.read([3, 0])).toEqual(await fromDisk.read([3, 0]));
    }
  });

  test('that are broken or gone are skipped or refused', async () => {
    const gone = named('cats/gone.png');
    vi.spyOn(gone, 'arrayBuffer').mockRejectedValue(new DOMException('gone', 'NotReadableError'));
    const files = [named('cats/1.png'), named('dogs/1.png'), gone, named('dogs/2.png', 'text')];
    const { broken } = await loadImageFolder(files, { size: 8, broken: 'skip' });
    expect(broken).toEqual([
      { file: 'cats/gone.png', reason: expect.stringContaining('Choose the file again') },
      { file: 'dogs/2.png', reason: expect.stringContaining('unsupported image format') },
    ]);
    await expect(loadImageFolder(files)).rejects.toMatchObject(invalid('2 broken ones of 4'));
  });

  test.each<[string, () => Iterable<unknown>, string]>([
    ['none', () => [], 'at least two classes, received none'],
    ['of one class folder', () => [chosen('cats/1.png'), chosen('cats/2.png')], 'at least two classes, received none'],
    ['of a class without pictures', () => PATHS.map((path) => named(path)).concat(named('ants/1.txt')), 'none in ants'],
    ['given twice', () => [named('cats/1.png'), named('cats/1.png')], 'every file once, received cats/1.png twice'],
    ['without names', () => [new Blob([smoothPng(8, 8)])], 'expected File objects'],
    ['by their paths', () => ['cats/1.png'], 'expected File objects'],
  ])('%s are refused', async (_, make, words) => {
    await expect(loadImageFolder(make() as Iterable<File>, { size: 8 })).rejects.toMatchObject(invalid(words));
  });
});

describe('where there is no Node', () => {
  const name = Object.getOwnPropertyDescriptor(platform, 'name')!;
  beforeEach(() => void Object.defineProperty(platform, 'name', { ...name, value: 'browser' }));
  afterEach(() => void Object.defineProperty(platform, 'name', name));

  test('a path is refused', async () => {
    await expect(loadImageFolder('pets')).rejects.toMatchObject(invalid('<input type="file" webkitdirectory>'));
  });

  test('.bmp files are pictures', async () => {
    const { files } = await loadImageFolder(BMPS(), { size: 8 });
    expect(files).toEqual(['cats/1.BMP', 'cats/1.png', 'dogs/1.png']);
    await expect(loadImageFolder([named('ants/1.txt')])).rejects.toMatchObject(invalid('.gif, .bmp)'));
  });
});

/** Its decoder takes them for what they are. */
const BMPS = () => ['cats/1.png', 'cats/1.BMP', 'dogs/1.png'].map((path) => named(path));

test('.bmp files are passed over in Node, whose decoder knows none', async () => {
  expect((await loadImageFolder(BMPS(), { size: 8 })).files).toEqual(['cats/1.png', 'dogs/1.png']);
  await expect(loadImageFolder([named('ants/1.bmp')])).rejects.toMatchObject(invalid('none in ants'));
  await expect(loadImageFolder([named('ants/1.bmp')])).rejects.toMatchObject(invalid('.webp, .gif)'));
});
