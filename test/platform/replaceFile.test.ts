import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { platform as browser } from '../../src/platform/browser';
import { platform } from '../../src/platform/node';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mobilenet-replace-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('replaceFile', () => {
  test('makes the folder, then puts one content in the place of the other', async () => {
    const file = join(root, 'a/b/file.txt');
    await platform.replaceFile(file, 'first');
    await platform.replaceFile(pathToFileURL(file).href, new TextEncoder().encode('second'));
    expect(await readFile(file, 'utf8')).toBe('second');
    expect(await readdir(join(root, 'a/b'))).toEqual(['file.txt']);
  });

  test('a file that cannot be replaced is told, and nothing is left beside it', async () => {
    await platform.replaceFile(join(root, 'folder/file'), '');
    await expect(platform.replaceFile(join(root, 'folder'), '')).rejects.toMatchObject({ code: 'file-system' });
    expect(await readdir(root)).toEqual(['folder']);
  });

  test('removes what killed processes left beside it, and nothing that is in use', async () => {
    const [old, fresh] = [0, 1].map((i) => `file.0000000${i}-0000-4000-8000-000000000000.tmp`) as [string, string];
    for (const name of [old, fresh, 'file.mine.tmp']) await writeFile(join(root, name), '');
    for (const name of [old, 'file.mine.tmp']) await utimes(join(root, name), 0, 0);
    await platform.replaceFile(join(root, 'file'), '');
    expect((await readdir(root)).sort()).toEqual(['file', fresh, 'file.mine.tmp']);
  });

  test('is refused in a browser', async () => {
    await expect(browser.replaceFile('file', '')).rejects.toMatchObject({ code: 'file-system' });
  });
});

test('both describe what they run on', async () => {
  expect(platform.describe()).toMatchObject({ runtime: `Node ${process.versions.node}` });
  expect(platform.describe().processors).toBe(platform.processors());
  expect(browser.describe().processors).toBe(browser.processors());
  expect(await browser.createBar({ write: () => {} }, '')).toEqual({ missing: 'a browser has no terminal' });
});
