import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadImageFolder } from '../../src/data/imageFolder';
import type { LoadImageFolderOptions } from '../../src/data/imageFolderOptions';
import { smoothPixels, smoothPng, writeTree } from './imageFolderFixture';

const FILES = {
  'b.png': smoothPng(8, 8, 1),
  'a.png': smoothPng(8, 8, 2),
  'more/c, d.png': smoothPng(8, 8, 3),
  'without-ending': smoothPng(8, 8, 4),
  'unlisted.png': 'broken, but nobody asks for it',
};
const TEXT = 'file,label\nb.png,dog\na.png,cat\n"more/c, d.png",dog\nwithout-ending,10\n';

let root: string;
beforeAll(async () => {
  root = await writeTree({ ...FILES, 'labels.csv': `\uFEFF${TEXT.replaceAll('\n', '\r\n')}` });
});
afterAll(() => fs.rm(root, { recursive: true }));

const load = (csv: LoadImageFolderOptions['csv'], options: LoadImageFolderOptions = {}) =>
  loadImageFolder(root, { size: 8, csv, ...options });

describe('a CSV', () => {
  test.each<[string, () => LoadImageFolderOptions['csv']]>([
    ['as its text', () => TEXT],
    ['at a path, with a byte order mark and CRLF', () => join(root, 'labels.csv')],
    ['at a file: URL', () => pathToFileURL(join(root, 'labels.csv'))],
    ['as a File', () => new File([TEXT], 'labels.csv')],
    ['as a Blob', () => new Blob([TEXT])],
  ])('%s names pictures and classes, in its order', async (_, csv) => {
    const dataset = await load(csv());
    expect(dataset.files).toEqual(['b.png', 'a.png', 'more/c, d.png', 'without-ending']);
    expect(dataset.classNames).toEqual(['10', 'cat', 'dog']);
    expect([...dataset.labels]).toEqual([2, 1, 2, 0]);
    const expected = [1, 2, 3, 4].flatMap((seed) => [...smoothPixels(8, 8, seed)]);
    expect([...(await dataset.read([0, 1, 2, 3])).images]).toEqual(expected);
  });

  test('may have other columns, spaces around names, and Windows paths', async () => {
    const csv = 'id,breed, picture\n1, husky , a.png\n2,tabby,".\\more//c, d.png"';
    const { files, classNames } = await load(csv, { fileColumn: 'picture', labelColumn: 'breed' });
    expect(files).toEqual(['a.png', 'more/c, d.png']);
    expect(classNames).toEqual(['husky', 'tabby']);
  });

  test('may have rows that were cleared, which are commas alone; lines are counted with them', async () => {
    expect((await load(TEXT.replace('a.png', ' ,""\n,\na.png'))).files).toHaveLength(4);
    await expect(load(`${TEXT},\n,cat\n`)).rejects.toThrow('csv, line 7: expected a file of the folder, received none');
  });

  test('goes with classNames, and with File objects', async () => {
    const files = Object.entries(FILES).map(([path, content]) => {
      return Object.defineProperty(new File([content], 'x'), 'webkitRelativePath', { value: `chosen/${path}` });
    });
    const dataset = await loadImageFolder(files, { size: 8, csv: TEXT, classNames: ['dog', 'cat', '10', 'fish'] });
    expect([...dataset.labels]).toEqual([0, 1, 0, 2]);
    expect(dataset.classNames).toEqual(['dog', 'cat', '10', 'fish']);
  });

  test('with broken pictures lists them', async () => {
    const { broken, files } = await load(`${TEXT}unlisted.png,dog\n`, { broken: 'skip' });
    expect(broken.map(({ file }) => file)).toEqual(['unlisted.png']);
    expect(files).toHaveLength(4);
  });

  test.each<[string, string, string]>([
    [
      'without a column of files',
      'name,label\na.png,cat\n',
      "csv: expected a column 'file', received name, label. Name",
    ],
    ['without a column of labels', 'file\na.png\n', "a column 'label', received file"],
    ['separated by semicolons', 'file;label\na.png;cat\n', "a column 'file', received file;label. Name the columns"],
    ['that is empty', '\n', "a column 'file', received no header"],
    ['without rows', 'file,label\n', 'labels of at least two classes, received none'],
    ['of one class', 'file,label\na.png,cat\nb.png,cat\n', 'of at least two classes, received cat. Label the pictures'],
    [
      'with a file that is not there',
      `${TEXT}missing.png,cat\n`,
      'csv, line 6: expected a file of the folder, received missing.png',
    ],
    [
      'with a folder for a file',
      `${TEXT}more,cat\n`,
      'line 6: expected a file of the folder, received more. Write its path',
    ],
    [
      'with a file twice',
      `${TEXT}./a.png,cat\n`,
      'line 6: expected every file once, received a.png, as in line 3. Keep one',
    ],
    ['without a label', `${TEXT}unlisted.png, \n`, 'line 6: expected a label, received none. Give'],
    ['without a file', `${TEXT},cat\n`, 'line 6: expected a file of the folder, received none'],
    [
      'that leads out of the folder',
      `${TEXT}../a.png,cat\n`,
      'line 6: expected a file of the folder, received ../a.png',
    ],
    ['that leads out within', `${TEXT}more/../../a.png,cat\n`, 'line 6: expected a file of the folder'],
    ['that leads out on Windows', `${TEXT}more\\..\\..\\a.png,cat\n`, 'line 6: expected a file of the folder'],
    ['with an absolute path', `${TEXT}/etc/a.png,cat\n`, 'line 6: expected a file of the folder'],
    ['with an absolute path of Windows', `${TEXT}C:\\a.png,cat\n`, 'line 6: expected a file of the folder'],
    ['with an address', `${TEXT}file:///etc/a.png,cat\n`, 'line 6: expected a file of the folder'],
    ['that is torn', `${TEXT}"a.png,cat\n`, 'line 6: expected every quote to enclose'],
  ])('%s is refused', async (_, csv, words) => {
    const error = { name: 'MobilenetError', code: 'invalid-data', message: expect.stringContaining(words) };
    await expect(load(csv)).rejects.toMatchObject(error);
  });

  test('with a label that classNames lacks is refused', async () => {
    await expect(load(TEXT, { classNames: ['cat', 'dog'] })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('labels that the class names have, received 10'),
    });
  });

  test('that is not in UTF-8 is refused, for classes could become one', async () => {
    const text = 'file,label\na.png,f\xe4hre\nb.png,f\xf6hre\nwithout-ending,tanne\n';
    for (const bytes of [Buffer.from(text, 'latin1'), Buffer.from(`\uFEFF${text}`, 'utf16le')]) {
      await expect(load(new File([bytes], 'mine.csv'))).rejects.toMatchObject({
        code: 'invalid-data',
        message: 'mine.csv: expected a text in UTF-8, received another encoding. Save it as CSV UTF-8.',
      });
    }
  });

  test('that is not there is refused, and named where it is wrong', async () => {
    await expect(load(join(root, 'missing.csv'))).rejects.toMatchObject({ code: 'file-system' });
    for (const folder of [join(root, 'missing'), '']) {
      await expect(loadImageFolder(folder, { csv: TEXT })).rejects.toThrow('where there is no folder');
    }
    const path = join(root, 'wrong.csv');
    await fs.writeFile(path, 'file,label\nx.png,cat\n');
    await expect(load(path)).rejects.toThrow(`${path}, line 2: expected a file of the folder, received x.png`);
    await expect(load(new File(['file'], 'mine.csv'))).rejects.toThrow("mine.csv: expected a column 'label'");
  });
});
