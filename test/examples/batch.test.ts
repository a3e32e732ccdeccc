import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formats } from '../../examples/batch/formats.mjs';
import { writeTree } from '../data/imageFolderFixture';
import { drawnJpeg, drawnPng } from './drawnPictures';
import { runExample } from './runExample';

const batch = (...args: string[]) => runExample('batch/batch.mjs', args, folder);

let folder: string;
beforeAll(async () => {
  const files: Record<string, Uint8Array | string> = {
    'photos/broken.jpg': 'no picture',
    'photos/deep/er/last, "really".PNG': await drawnPng('ring'),
    'photos/notes.txt': 'not a picture, and not looked at',
  };
  // More than one process gets at a time.
  for (let n = 0; n < 20; n++) files[`photos/${n + 10}.jpg`] = await drawnJpeg('star', n % 10);
  folder = await writeTree(files);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = [...Array.from({ length: 20 }, (_, n) => `${n + 10}.jpg`), 'deep/er/last, "really".PNG'];

test('lines of JSON in the order of the paths, from two processes; broken pictures at the end, and code 1', async () => {
  const { code, stdout, stderr } = await batch('photos', '--format', 'ndjson', '--top-k', '2', '--processes', '2');
  expect(code, stderr).toBe(1);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.map(({ picture }) => picture)).toEqual(names.map((name) => join('photos', name)));
  for (const { classes } of rows) {
    expect(classes).toHaveLength(2);
    expect(classes[0].probability).toBeGreaterThanOrEqual(classes[1].probability);
  }
  // The same picture in another group.
  expect(rows[10].classes).toEqual(rows[0].classes);
  expect(stderr).toMatch(
    /^21 pictures in \d+\.\d s, \d+\.\d a second\.\nNot classified: photos.broken\.jpg: expected .*\n$/m,
  );
});

test('one process answers in the order of the paths, also where a group holds a broken picture', async () => {
  const files: Record<string, Uint8Array | string> = { 'many/05.jpg': 'no picture' };
  // More than two groups, of which one process has several at a time.
  for (let n = 10; n < 50; n++) files[`many/${n}.jpg`] = await drawnJpeg('ring', n % 10);
  const root = await writeTree(files);
  try {
    const args = [join(root, 'many'), '--format', 'ndjson', '--processes', '1'];
    const { code, stdout, stderr } = await batch(...args);
    expect(code, stderr).toBe(1);
    const rows = stdout.trim().split('\n');
    expect(rows.map((row) => JSON.parse(row).picture.slice(-6))).toEqual(
      Array.from({ length: 40 }, (_, n) => `${n + 10}.jpg`),
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('CSV into a file', async () => {
  const args = ['photos/deep', '--processes', '1', '--out', 'classes.csv'];
  const { code, stdout, stderr } = await batch(...args);
  expect(code, stderr).toBe(0);
  expect(stdout).toBe('');
  const picture = join('photos', 'deep', 'er', 'last, ""really"".PNG');
  const [head, row, end] = readFileSync(join(folder, 'classes.csv'), 'utf8').split('\r\n');
  expect(head).toBe('picture,class1,probability1');
  expect(row!.startsWith(`"${picture}",`)).toBe(true);
  expect(row).toMatch(/",\w+,[01]\.\d{6}$/);
  expect(end).toBe('');
});

test('what is wrong with all pictures ends it with one reason', async () => {
  const { code, stdout, stderr } = await batch('photos/deep', '--model', 'nowhere', '--format', 'ndjson');
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/nowhere: expected a folder with a model\.json/);
  expect((await batch('nowhere')).stderr).toMatch(/no such file or directory.*nowhere/);
});

test('cells are quoted where they must be', () => {
  const classes = [{ className: 'cat, "big"', classIndex: 1, probability: 0.5 }];
  expect(formats.csv.line({ picture: 'a\nb.jpg', classes }, 1)).toBe('"a\nb.jpg","cat, ""big""",0.500000\r\n');
});

test('rows of a model with fewer classes than were asked for have as many cells as the head', () => {
  const classes = [{ className: 'cat', classIndex: 0, probability: 1 }];
  expect(formats.csv.head(2)).toBe('picture,class1,probability1,class2,probability2\r\n');
  expect(formats.csv.line({ picture: 'a.jpg', classes }, 2)).toBe('a.jpg,cat,1.000000,,\r\n');
});
