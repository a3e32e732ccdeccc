import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { loadImageFolder } from '../../src/data/imageFolder';
import { smoothPicture, smoothPng, writeTree } from '../data/imageFolderFixture';
import { bundleSources } from './bundleSources';
import { why } from './chromium';
import type { ImageFolderPage } from './imageFolderPage';

describe.skipIf(!chromiumPath)(`a folder of pictures in headless Chromium${why}`, () => {
  let browser: Browser;
  let page: Page;
  let root: string;

  beforeAll(async () => {
    const jpeg = await smoothPicture(24, 16).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    root = await writeTree({
      'pets/dogs/2.png': smoothPng(20, 12, 2),
      'pets/dogs/old/1.png': smoothPng(8, 8, 1),
      'pets/cats/a.png': await smoothPicture(9, 9).greyscale().png().toBuffer(),
      'pets/cats/turned.jpg': jpeg,
      'pets/cats/cut.jpg': jpeg.subarray(0, jpeg.length * 0.7),
      'pets/cats/text.jpg': 'no picture',
      'pets/notes.txt': 'no picture',
    });
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
    page = await browser.newPage();
    await page.setContent('<input type="file" webkitdirectory>');
    await page.addScriptTag({ content: await bundleSources('./imageFolderPage.ts', 'iife') });
    await page.setInputFiles('input', join(root, 'pets'));
  });
  afterAll(async () => {
    await browser?.close();
    if (root) await fs.rm(root, { recursive: true });
  });

  const load = (from: 'input' | 'names', limit: number) =>
    page.evaluate(
      ([from, limit]) => (window as unknown as { imageFolder: ImageFolderPage }).imageFolder.load(from, limit),
      [from, limit] as const,
    );

  test.each([
    ['input', 1],
    ['input', 0],
    ['names', 1],
  ] as const)('chosen (%s, %i MB) is the dataset that Node makes; JPEG within 2', async (from, limit) => {
    const inNode = await loadImageFolder(join(root, 'pets'), { size: 8, broken: 'skip' });
    const { classNames, files, broken, labels, images } = await load(from, limit);
    expect(classNames).toEqual(['cats', 'dogs']);
    expect(files).toEqual(['cats/a.png', 'cats/turned.jpg', 'dogs/2.png', 'dogs/old/1.png']);
    expect(labels).toEqual([...inNode.labels]);
    expect(broken.map(({ file }) => file)).toEqual(['cats/cut.jpg', 'cats/text.jpg']);
    const expected = (await inNode.read([...files.keys()])).images;
    expect(images).toHaveLength(expected.length);
    for (const [i, value] of images.entries()) {
      const tolerance = files[Math.floor(i / 192)]!.endsWith('.jpg') ? 2 : 0;
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance);
    }
  });

  test('by its path is refused, and the input named that gives files', async () => {
    const message = await page.evaluate(() =>
      (window as unknown as { imageFolder: ImageFolderPage }).imageFolder.loadPath(),
    );
    expect(message).toContain('<input type="file" webkitdirectory>');
  });
});
