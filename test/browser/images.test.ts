import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { readImage } from '../../src/classify/readImage';
import { bundleSources } from './bundleSources';
import { type Browsing, startBrowsing, why } from './chromium';
import type { Images, Kind } from './imagesPage';

/** A smooth picture of 64 x 48 pixels, saved lying on its side, as cameras do. */
async function makeJpeg(): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % 64;
    const y = Math.floor(i / 192);
    return [x * 4, y * 5, x + y][i % 3]!;
  });
  const image = sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } });
  return new Uint8Array(await image.withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer());
}

describe.skipIf(!chromiumPath)(`pictures in headless Chromium${why}`, () => {
  let browsing: Browsing;
  let page: Page;
  let jpeg: Uint8Array<ArrayBuffer>;
  /** Does not allow other sites to read its picture. */
  let otherSite: Server;

  beforeAll(async () => {
    jpeg = await makeJpeg();
    otherSite = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(jpeg));
    await new Promise<void>((resolve) => otherSite.listen(0, '127.0.0.1', resolve));
    browsing = await startBrowsing({
      '/photo.jpg': () => jpeg,
      '/cut.jpg': () => jpeg.subarray(0, jpeg.length * 0.7),
      '/text.jpg': () => new TextEncoder().encode('no picture'),
    });
    page = await browsing.open('plain');
    await page.addScriptTag({ content: await bundleSources('./imagesPage.ts', 'iife') });
  });
  afterAll(async () => {
    await browsing?.close();
    otherSite?.close();
  });

  const read = (kind: Kind, address = '', channels = 3) =>
    page.evaluate(
      ([k, a, c]) => (window as unknown as { images: Images }).images.read(k as Kind, a as string, c as number),
      [kind, address, channels],
    );
  const at = (path: string) => new URL(path, page.url()).href;
  const elsewhere = () => `http://127.0.0.1:${(otherSite.address() as AddressInfo).port}/photo.jpg`;

  const colours = [
    [200, 0, 0],
    [0, 150, 0],
    [0, 0, 250],
    [99, 99, 99],
  ];

  test.each<[Kind, tolerance: number]>([
    ['ImageData', 0],
    ['an <img> that is still loading', 0],
    ['an <img> in the page', 0],
    ['<canvas>', 0],
    ['OffscreenCanvas', 0],
    ['ImageBitmap', 0],
    ['VideoFrame', 0],
    ['Blob', 0],
    ['bytes of a PNG', 0],
    ['data: URL', 0],
    ['blob: URL', 0],
    // Its frames are YUV.
    ['<video>', 4],
  ])('%s has its own size and colours, within %i', async (kind, tolerance) => {
    const { width, height, data } = (await read(kind)) as { width: number; height: number; data: number[] };
    expect([width, height, data.length]).toEqual([64, 48, 64 * 48 * 3]);
    // The middle of each field.
    [12 * 64 + 16, 12 * 64 + 48, 36 * 64 + 16, 36 * 64 + 48].forEach((pixel, field) => {
      for (let c = 0; c < 3; c++)
        expect(Math.abs(data[pixel * 3 + c]! - colours[field]![c]!)).toBeLessThanOrEqual(tolerance);
    });
  });

  test('a canvas is read before the call returns', async () => {
    expect(await page.evaluate(() => (window as unknown as { images: Images }).images.readThenRepaint())).toBe(200);
  });

  test('a model of one channel gets luma', async () => {
    const { data } = (await read('<canvas>', '', 1)) as { data: number[] };
    expect([data.length, data[0], data.at(-1)]).toEqual([64 * 48, 60, 99]);
  });

  test('a JPEG is turned upright, and within 1 of what Node decodes, on average', async () => {
    const expected = await readImage(jpeg, { where: 'classify', channels: 3 });
    expect([expected.width, expected.height]).toEqual([48, 64]);
    for (const [kind, place] of [
      ['address', at('/photo.jpg')],
      ['address', '/photo.jpg'],
      ['URL', at('/photo.jpg')],
    ] as const) {
      const actual = (await read(kind, place)) as { width: number; height: number; data: number[] };
      expect([actual.width, actual.height]).toEqual([48, 64]);
      const differences = actual.data.map((value, i) => Math.abs(value - expected.data[i]!));
      expect(differences).toHaveLength(expected.data.length);
      expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(1);
    }
  });

  test.each<[Kind, code: string, words: string, address: () => string]>([
    ['an <img> of another site', 'invalid-argument', 'crossorigin="anonymous"', elsewhere],
    ['a tainted <canvas>', 'invalid-argument', 'crossorigin="anonymous"', elsewhere],
    ['an <img> of another site, by CORS', 'invalid-data', 'must allow CORS', elsewhere],
    ['an <img> that is missing', 'invalid-data', 'one that cannot load', () => at('/missing.jpg')],
    ['an <img> without src', 'invalid-data', 'one without a src', () => ''],
    ['a <canvas> without pixels', 'invalid-argument', 'received 0 x 5 pixels', () => ''],
    ['a closed ImageBitmap', 'invalid-argument', 'received 0 x 0 pixels', () => ''],
    ['a closed VideoFrame', 'invalid-argument', 'received 0 x 0 pixels', () => ''],
    ['an empty <video>', 'invalid-argument', "event 'loadeddata'", () => ''],
    ['bytes of text', 'invalid-data', 'opens in a picture viewer', () => ''],
    ['a path', 'download-failed', 'folder/cat.jpg: expected HTTP status 200', () => ''],
    ['address', 'download-failed', '404', () => at('/missing.jpg')],
    ['address', 'invalid-data', 'without its end', () => at('/cut.jpg')],
    ['address', 'invalid-data', 'opens in a picture viewer', () => at('/text.jpg')],
  ])('%s is refused: %s, %s', async (kind, code, words, address) => {
    const error = await read(kind, address());
    expect(error).toMatchObject({ name: 'MobilenetError', code, message: expect.stringContaining(words) });
  });
});
