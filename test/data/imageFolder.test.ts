import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { toPixels } from '../../src/classify/toPixels';
import { batches } from '../../src/data/batches';
import { type ImageFolderDataset, loadImageFolder } from '../../src/data/imageFolder';
import type { LoadImageFolderOptions } from '../../src/data/imageFolderOptions';
import { MobilenetError } from '../../src/errors';
import { platform } from '../../src/platform/node';
import { smoothPicture, smoothPixels, smoothPng, writeTree } from './imageFolderFixture';

const roots: string[] = [];
async function tree(files: Record<string, Uint8Array | string>): Promise<string> {
  const root = await writeTree(files);
  roots.push(root);
  return root;
}
afterEach(() => vi.restoreAllMocks());
afterAll(() => Promise.all(roots.map((root) => fs.rm(root, { recursive: true }))));

const all = ({ size }: ImageFolderDataset) => Array.from({ length: size }, (_, i) => i);
const invalid = (code: string, words: string) => ({
  name: 'MobilenetError',
  code,
  message: expect.stringContaining(words),
});

/** Six pictures in three classes, 8 x 8. */
const SIX = {
  'dogs/2.png': smoothPng(8, 8, 0),
  'dogs/10.png': smoothPng(8, 8, 1),
  'cats/a/b/1.png': smoothPng(8, 8, 2),
  'cats/a-1.png': smoothPng(8, 8, 3),
  'cats/Z.PNG': smoothPng(8, 8, 4),
  'Birds/1.png': smoothPng(8, 8, 5),
};
const SIX_IN_ORDER = ['Birds/1.png', 'cats/Z.PNG', 'cats/a-1.png', 'cats/a/b/1.png', 'dogs/10.png', 'dogs/2.png'];
const SIX_SEEDS = [5, 4, 3, 2, 1, 0];
const SIX_PIXELS = Uint8Array.from(SIX_SEEDS.flatMap((seed) => [...smoothPixels(8, 8, seed)]));

let six: string;
beforeAll(async () => {
  six = await tree(SIX);
});

describe('a folder', () => {
  test('has a class for each sub-folder, and pictures in the order of their paths, folders within classes too', async () => {
    const dataset = await loadImageFolder(six, { size: 8 });
    expect(dataset).toMatchObject({ size: 6, height: 8, width: 8, channels: 3, broken: [] });
    expect(dataset.classNames).toEqual(['Birds', 'cats', 'dogs']);
    expect(dataset.files).toEqual(SIX_IN_ORDER);
    expect([...dataset.labels]).toEqual([0, 1, 1, 1, 2, 2]);
    const { images, labels } = await dataset.read(all(dataset));
    expect(images).toEqual(SIX_PIXELS);
    expect(labels).toEqual(dataset.labels);
  });

  test('may be given as a file: URL, whatever characters its names have', async () => {
    const root = await tree({ 'a #1%20/ü?.png': smoothPng(8, 8), 'b/1.png': smoothPng(8, 8) });
    for (const source of [pathToFileURL(root), pathToFileURL(`${root}/`).href, `${root}/`]) {
      const dataset = await loadImageFolder(source, { size: 8 });
      expect(dataset.files).toEqual(['a #1%20/ü?.png', 'b/1.png']);
    }
  });

  test('is read without what is hidden, beside the sub-folders, or no picture by its name', async () => {
    const root = await tree({
      'cats/1.png': smoothPng(8, 8),
      'cats/.hidden.png': 'x',
      'cats/.cache/1.png': 'x',
      'cats/notes.txt': 'x',
      'cats/more/README': 'x',
      'dogs/1.jpeg': await smoothPicture(8, 8).jpeg().toBuffer(),
      '.git/1.png': 'x',
      '__MACOSX/cats/._1.png': 'x',
      'loose.png': 'x',
      'labels.csv': 'x',
    });
    const { files, classNames } = await loadImageFolder(root, { size: 8 });
    expect(files).toEqual(['cats/1.png', 'dogs/1.jpeg']);
    expect(classNames).toEqual(['cats', 'dogs']);
  });

  test('of links is read as what they lead to; one that leads in a circle is refused', async () => {
    const root = await tree({ 'cats/1.png': smoothPng(8, 8) });
    await fs.symlink(join(six, 'dogs'), join(root, 'hounds'));
    await fs.symlink(join(six, 'dogs/2.png'), join(root, 'cats/2.png'));
    const { files } = await loadImageFolder(root, { size: 8 });
    expect(files).toEqual(['cats/1.png', 'cats/2.png', 'hounds/10.png', 'hounds/2.png']);
    await fs.symlink('..', join(root, 'cats/up'));
    await expect(loadImageFolder(root, { size: 8 })).rejects.toMatchObject(
      invalid('file-system', 'up: expected links that lead in no circle'),
    );
  });

  test('is refused where two links lead up, which make paths without number', async () => {
    const root = await tree({ 'cats/1.png': smoothPng(8, 8), 'dogs/1.png': smoothPng(8, 8) });
    for (const name of ['cats', 'dogs']) await fs.symlink('..', join(root, name, 'up'));
    const refused = invalid('file-system', 'expected links that lead in no circle');
    await expect(loadImageFolder(root, { size: 8 })).rejects.toMatchObject(refused);
  });

  test('goes into batches', async () => {
    const dataset = await loadImageFolder(six, { size: 8 });
    const labels: number[][] = [];
    for await (const batch of batches(dataset, { batchSize: 4 })) labels.push([...batch.labels]);
    expect(labels).toEqual([
      [0, 1, 1, 1],
      [2, 2],
    ]);
  });
});

describe('pixels', () => {
  const wide = () => smoothPicture(40, 24);
  const makers: Record<string, () => Promise<Buffer>> = {
    'turned.jpg': () => wide().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'progressive.jpg': () => wide().jpeg({ progressive: true }).toBuffer(),
    'cmyk.jpg': () => wide().toColourspace('cmyk').jpeg().toBuffer(),
    'grey.jpg': () => wide().greyscale().jpeg().toBuffer(),
    'grey.png': () => wide().greyscale().png().toBuffer(),
    'grey-alpha.png': () => wide().greyscale().ensureAlpha(0.5).png().toBuffer(),
    'alpha.png': () => wide().ensureAlpha(0.5).png().toBuffer(),
    'palette.png': () => wide().png({ palette: true }).toBuffer(),
    '16-bits.png': () => wide().toColourspace('rgb16').png().toBuffer(),
    'picture.webp': () => wide().webp().toBuffer(),
    'picture.gif': () => wide().gif().toBuffer(),
  };
  const names = Object.keys(makers).sort();
  let root: string;
  beforeAll(async () => {
    const files: Record<string, Uint8Array> = { 'b/last.png': smoothPng(10, 10) };
    for (const [name, make] of Object.entries(makers)) files[`a/${name}`] = await make();
    root = await tree(files);
  });

  test.each<[string, LoadImageFolderOptions, { height: number; width: number; channels: number }]>([
    ['cropped, smaller', { size: 16 }, { height: 16, width: 16, channels: 3 }],
    ['stretched, to another shape', { size: [9, 30], fit: 'stretch' }, { height: 9, width: 30, channels: 3 }],
    ['larger, as luma', { size: 50, channels: 1 }, { height: 50, width: 50, channels: 1 }],
  ])('of every kind of file are those that a classifier sees: %s', async (_, options, size) => {
    const dataset = await loadImageFolder(root, options);
    expect(dataset).toMatchObject({ ...size, broken: [], resizing: { fit: options.fit ?? 'crop' } });
    expect(dataset.files).toEqual([...names.map((name) => `a/${name}`), 'b/last.png']);
    for (const [i, file] of dataset.files.entries()) {
      const expected = await toPixels(join(root, file), size, dataset.resizing, { where: 'classify' });
      expect((await dataset.read([i])).images, file).toEqual(expected);
    }
  });

  test('of a PNG of the right size stay, without alpha; grey is repeated', async () => {
    const dataset = await loadImageFolder(root, { size: [24, 40] });
    const read = async (name: string) => (await dataset.read([dataset.files.indexOf(`a/${name}`)])).images;
    expect(await read('alpha.png')).toEqual(smoothPixels(40, 24));
    const grey = await wide().greyscale().raw().toBuffer();
    expect(await read('grey-alpha.png')).toEqual(Uint8Array.from([...grey].flatMap((value) => [value, value, value])));
  });

  test('are turned upright as EXIF says: what was bottom left is top left', async () => {
    const dataset = await loadImageFolder(root, { size: [40, 24] });
    const { images } = await dataset.read([dataset.files.indexOf('a/turned.jpg')]);
    const corner = smoothPixels(40, 24).subarray(23 * 40 * 3, 23 * 40 * 3 + 3);
    for (const [c, value] of corner.entries()) expect(Math.abs(images[c]! - value)).toBeLessThan(10);
  });
});

describe('memory', () => {
  /** That of one picture of `six`, of 8 x 8 x 3 bytes. */
  const ONE = 192 / 2 ** 20;

  test.each([
    ['all are kept', 6 * ONE, 0],
    ['two are kept, the others decoded at each read', 2 * ONE, 4],
    ['none is kept', 0, 6],
  ])('%s: the same pixels', async (_, memoryLimitMegabytes, decodedAgain) => {
    const decodeImage = vi.spyOn(platform, 'decodeImage');
    const dataset = await loadImageFolder(six, { size: 8, memoryLimitMegabytes });
    expect(decodeImage).toHaveBeenCalledTimes(6);
    for (let epoch = 1; epoch <= 2; epoch++) {
      expect((await dataset.read(all(dataset))).images).toEqual(SIX_PIXELS);
      expect(decodeImage).toHaveBeenCalledTimes(6 + epoch * decodedAgain);
    }
  });

  test.each([0, 1])('pictures are read in any order, repeated ones too (limit of %i MB)', async (limit) => {
    const dataset = await loadImageFolder(six, { size: 8, memoryLimitMegabytes: limit });
    const { images, labels } = await dataset.read([4, 0, 4]);
    const expected = [4, 0, 4].flatMap((i) => [...smoothPixels(8, 8, SIX_SEEDS[i])]);
    expect([...images]).toEqual(expected);
    expect([...labels]).toEqual([2, 0, 2]);
    for (const index of [-1, 6, 0.5, Number.NaN]) {
      await expect(dataset.read([0, index])).rejects.toMatchObject(invalid('invalid-argument', 'indices from 0 to 5'));
    }
  });

  test('what is read is the reader’s own to change', async () => {
    const dataset = await loadImageFolder(six, { size: 8 });
    const { images, labels } = await dataset.read([0]);
    images.fill(1);
    labels.fill(1);
    expect((await dataset.read([0])).images).toEqual(SIX_PIXELS.subarray(0, 192));
    expect(dataset.labels[0]).toBe(0);
  });

  test('a file that is gone since is named', async () => {
    const root = await tree(SIX);
    const dataset = await loadImageFolder(root, { size: 8, memoryLimitMegabytes: 0 });
    await fs.rm(join(root, 'dogs/2.png'));
    await expect(dataset.read([0, 5])).rejects.toMatchObject(invalid('file-system', 'dogs/2.png'));
  });

  const noHandles = process.platform === 'linux' ? '' : ' (skipped: no /proc)';
  test.skipIf(noHandles)(`no file stays open${noHandles}`, async () => {
    const open = async () => (await fs.readdir('/proc/self/fd')).length;
    await loadImageFolder(six, { size: 8 });
    const before = await open();
    const dataset = await loadImageFolder(six, { size: 8, memoryLimitMegabytes: 0 });
    await dataset.read(all(dataset));
    await expect(loadImageFolder(join(six, 'cats'), { size: 8 })).rejects.toThrow();
    expect(await open()).toBe(before);
  });
});

describe('at work', () => {
  test.each([1, 2, 4, 100])('at most %i pictures are decoded at a time, and the order stays', async (concurrency) => {
    const { decodeImage, readFile } = platform;
    let running = 0;
    let most = 0;
    vi.spyOn(platform, 'readFile').mockImplementation((path) => {
      most = Math.max(most, ++running);
      return readFile(path);
    });
    vi.spyOn(platform, 'decodeImage').mockImplementation(async (bytes, where) => {
      // The first ones take longest.
      const turns = 2 * (6 - SIX_IN_ORDER.indexOf(where));
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const picture = await decodeImage(bytes, where);
      running--;
      return picture;
    });
    const progress: unknown[] = [];
    const onProgress = (state: unknown) => void progress.push(state);
    const dataset = await loadImageFolder(six, { size: 8, concurrency, memoryLimitMegabytes: 0, onProgress });
    expect(dataset.files).toEqual(SIX_IN_ORDER);
    expect((await dataset.read(all(dataset))).images).toEqual(SIX_PIXELS);
    expect(most).toBe(Math.min(concurrency, 6));
    expect(progress).toEqual([1, 2, 3, 4, 5, 6].map((done) => ({ done, total: 6 })));
  });

  test('an abort ends it with its reason, before or between pictures', async () => {
    const decodeImage = vi.spyOn(platform, 'decodeImage');
    const reason = new MobilenetError('invalid-data', 'enough');
    await expect(loadImageFolder(six, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(decodeImage).not.toHaveBeenCalled();
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = () => controller.abort(reason);
    const loading = loadImageFolder(six, { signal, onProgress, concurrency: 2, broken: 'skip' });
    await expect(loading).rejects.toBe(reason);
    expect(decodeImage.mock.calls.length).toBeLessThan(6);
  });

  test('an abort ends the listing of folders too', async () => {
    const { listFolder } = platform;
    const reason = new MobilenetError('invalid-data', 'enough');
    const controller = new AbortController();
    const listing = vi.spyOn(platform, 'listFolder').mockImplementation(async (path) => {
      controller.abort(reason);
      return listFolder(path);
    });
    await expect(loadImageFolder(six, { signal: controller.signal })).rejects.toBe(reason);
    expect(listing).toHaveBeenCalledTimes(1);
  });

  test('what onProgress throws comes out', async () => {
    const onProgress = () => {
      throw new RangeError('mine');
    };
    await expect(loadImageFolder(six, { size: 8, onProgress, broken: 'skip' })).rejects.toThrow('mine');
  });

  test('a decoder that is missing is no broken picture', async () => {
    vi.spyOn(platform, 'decodeImage').mockRejectedValue(new MobilenetError('missing-backend', 'no sharp'));
    await expect(loadImageFolder(six, { broken: 'skip' })).rejects.toThrow('no sharp');
  });
});

describe('broken pictures', () => {
  let root: string;
  beforeAll(async () => {
    const jpeg = await smoothPicture(40, 24).jpeg().toBuffer();
    root = await tree({
      'cats/1.jpg': jpeg,
      'cats/cut.jpg': jpeg.subarray(0, jpeg.length * 0.6),
      'dogs/1.jpg': jpeg,
      'dogs/empty.jpg': '',
      'dogs/text.jpg': 'This is no picture.',
    });
    await fs.mkdir(join(root, 'dogs/folder.jpg'));
  });

  test('are refused, all of them named at once', async () => {
    const words = '4 broken ones of 6: cats/cut.jpg, dogs/empty.jpg, dogs/folder.jpg, dogs/text.jpg. Mend or remove';
    await expect(loadImageFolder(root, { size: 8 })).rejects.toMatchObject({
      ...invalid('invalid-data', words),
      cause: expect.objectContaining({ message: expect.stringContaining('cats/cut.jpg: expected the whole file') }),
    });
  });

  test('are skipped and listed where that is asked for', async () => {
    const dataset = await loadImageFolder(root, { size: 8, broken: 'skip' });
    expect(dataset.files).toEqual(['cats/1.jpg', 'dogs/1.jpg']);
    expect([...dataset.labels]).toEqual([0, 1]);
    expect(dataset.broken).toEqual([
      { file: 'cats/cut.jpg', reason: expect.stringMatching(/^expected the whole file.* without its end/) },
      { file: 'dogs/empty.jpg', reason: expect.stringContaining('received 0 bytes') },
      { file: 'dogs/folder.jpg', reason: expect.stringContaining('This is a folder') },
      { file: 'dogs/text.jpg', reason: expect.stringContaining('unsupported image format') },
    ]);
    const { images } = await dataset.read([0, 1]);
    expect(images.subarray(0, 192)).toEqual(images.subarray(192));
    await expect(dataset.read([2])).rejects.toThrow('indices from 0 to 1');
  });

  test('leave what is kept in memory where it belongs', async () => {
    const mixed = await tree({ ...SIX, 'cats/broken.png': 'x' });
    for (const memoryLimitMegabytes of [0, 3 * (192 / 2 ** 20), 1]) {
      const dataset = await loadImageFolder(mixed, { size: 8, broken: 'skip', memoryLimitMegabytes });
      expect((await dataset.read(all(dataset))).images).toEqual(SIX_PIXELS);
    }
  });

  test('may not be all that a class has', async () => {
    const lost = await tree({ 'cats/1.png': smoothPng(8, 8), 'dogs/1.png': 'x', 'dogs/2.png': 'x' });
    await expect(loadImageFolder(lost, { broken: 'skip' })).rejects.toMatchObject(
      invalid('invalid-data', 'expected pictures of dogs that are not broken, received 2 broken ones of 3'),
    );
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i % 2 ? 'cats' : 'dogs'}/${i}.png`, 'x']));
    await expect(loadImageFolder(await tree(many), {})).rejects.toThrow(
      '9 broken ones of 9: cats/1.png, cats/3.png, cats/5.png, cats/7.png, dogs/0.png, ....',
    );
  });
});

describe('classNames', () => {
  test('say the order; one without a folder is allowed', async () => {
    const dataset = await loadImageFolder(six, { size: 8, classNames: ['dogs', 'fish', 'cats', 'Birds'] });
    expect(dataset.classNames).toEqual(['dogs', 'fish', 'cats', 'Birds']);
    expect([...dataset.labels]).toEqual([0, 0, 2, 2, 2, 3]);
    expect(dataset.files[0]).toBe('dogs/10.png');
  });

  test('may let a set have pictures of one class only', async () => {
    const root = await tree({ 'dogs/1.png': smoothPng(8, 8) });
    const { labels, classNames } = await loadImageFolder(root, { size: 8, classNames: ['cats', 'dogs'] });
    expect([[...labels], classNames]).toEqual([[1], ['cats', 'dogs']]);
  });

  test('let folders be empty, whether they have their names or not', async () => {
    const root = await tree({ 'dogs/1.png': smoothPng(8, 8), 'cats/1.txt': 'x', 'fish/1.txt': 'x' });
    const { labels, classNames } = await loadImageFolder(root, { size: 8, classNames: ['cats', 'dogs'] });
    expect([[...labels], classNames]).toEqual([[1], ['cats', 'dogs']]);
  });

  test('have every folder', async () => {
    await expect(loadImageFolder(six, { classNames: ['cats', 'dogs'] })).rejects.toMatchObject(
      invalid('invalid-argument', 'expected sub-folders that the class names have, received Birds. Rename or remove'),
    );
  });
});

describe('what cannot be loaded is refused', () => {
  test.each<[string, Record<string, Uint8Array | string>, string]>([
    [
      'a folder without sub-folders',
      { '1.png': smoothPng(8, 8) },
      'sub-folders of at least two classes, received none. Give the folder that holds',
    ],
    ['one class', { 'cats/1.png': smoothPng(8, 8) }, 'at least two classes, received cats. Give the folder that holds'],
    [
      'a class without pictures',
      { ...SIX, 'fish/1.txt': 'x' },
      'expected pictures in every sub-folder, received none in fish. Remove the folder, or put pictures into it (.jpg, ',
    ],
  ])('%s', async (_, files, words) => {
    await expect(loadImageFolder(await tree(files), {})).rejects.toMatchObject(invalid('invalid-data', words));
  });

  test('an empty sub-folder, no folder, a file', async () => {
    const root = await tree(SIX);
    await fs.mkdir(join(root, 'ants'));
    await expect(loadImageFolder(root)).rejects.toMatchObject(invalid('invalid-data', 'received none in ants'));
    for (const path of [join(root, 'missing'), join(root, 'dogs/2.png'), '']) {
      await expect(loadImageFolder(path)).rejects.toMatchObject(invalid('file-system', 'Check that the path is right'));
    }
  });

  test.each<[LoadImageFolderOptions, string]>([
    [{ size: 0 }, 'size'],
    [{ size: [8] as never }, 'size'],
    [{ size: [8, 2.5] }, 'size'],
    [{ size: '8' as never }, 'size'],
    [{ channels: 4 as never }, 'channels'],
    [{ fit: 'cover' as never }, 'fit'],
    [{ broken: 'ignore' as never }, 'broken'],
    [{ memoryLimitMegabytes: -1 }, 'memoryLimitMegabytes'],
    [{ memoryLimitMegabytes: Number.NaN }, 'memoryLimitMegabytes'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ classNames: ['a', 'a'] }, 'classNames'],
    [{ classNames: ['a'] }, 'classNames'],
    [{ classNames: 'ab' as never }, 'classNames'],
    [{ csv: 7 as never }, 'csv'],
  ])('the options %o', async (options, name) => {
    await expect(loadImageFolder(six, options)).rejects.toMatchObject(
      invalid('invalid-argument', `loadImageFolder: expected ${name} to be`),
    );
  });

  test.each([undefined, null, 7, {}])('the source %o', async (source) => {
    await expect(loadImageFolder(source as never)).rejects.toMatchObject(
      invalid('invalid-argument', 'expected the path of a folder, or its files'),
    );
  });
});
