import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ClassifierImage } from '../../src/classify/classifierImage';
import { readImage } from '../../src/classify/readImage';
import { toPixels } from '../../src/classify/toPixels';

const read = (image: ClassifierImage, channels = 3) => readImage(image, { where: 'classify', channels });

/** A smooth picture of 60 x 40 pixels, so that JPEG changes it little. */
const rgb = Uint8Array.from({ length: 60 * 40 * 3 }, (_, i) => {
  const x = Math.floor(i / 3) % 60;
  const y = Math.floor(i / 180);
  return [x * 4, y * 6, x + y][i % 3]!;
});
const picture = sharp(rgb, { raw: { width: 60, height: 40, channels: 3 } });
const plain = (buffer: Buffer) => new Uint8Array(buffer);

let png: Uint8Array;
let jpeg: Uint8Array;
let folder: string;
beforeAll(async () => {
  png = plain(await picture.clone().png().toBuffer());
  jpeg = plain(await picture.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer());
  folder = await fs.mkdtemp(join(tmpdir(), 'mobilenet-images-'));
  await fs.writeFile(join(folder, 'a b.png'), png);
});
afterAll(() => fs.rm(folder, { recursive: true }));

const meanDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((sum, value) => sum + value, 0) / a.length;

describe('a file', () => {
  const expected = { data: rgb, width: 60, height: 40, channels: 3 };

  test.each<[string, () => ClassifierImage]>([
    ['bytes', () => png],
    ['a Buffer', () => Buffer.from(png)],
    ['an ArrayBuffer', () => png.slice().buffer as ArrayBuffer],
    ['a Blob', () => new Blob([png.slice()])],
    ['a File', () => new File([png.slice()], 'a.png')],
    ['a path', () => join(folder, 'a b.png')],
    ['a file: URL', () => pathToFileURL(join(folder, 'a b.png'))],
    ['the text of a file: URL', () => pathToFileURL(join(folder, 'a b.png')).href],
    ['a data: URL', () => `data:image/png;base64,${Buffer.from(png).toString('base64')}`],
  ])('as %s is read, a PNG exactly', async (_, make) => {
    expect(await read(make())).toEqual(expected);
  });

  test('at an http: address is downloaded, once; what is not there is an error', async () => {
    const requests: string[] = [];
    const server = createServer(({ url = '' }, response) => {
      requests.push(url);
      if (url === '/a.png') response.end(png);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await read(new URL('/a.png', origin))).toEqual(expected);
    await expect(read(`${origin}/b.png`)).rejects.toMatchObject({ code: 'download-failed' });
    expect(requests).toEqual(['/a.png', '/b.png']);
    await new Promise((resolve) => server.close(resolve));
  });

  test('of a JPEG is within 1 of its picture on average, colours as luma too', async () => {
    expect(meanDifference((await read(jpeg)).data, rgb)).toBeLessThan(1);
    const grey = await read(jpeg, 1);
    expect(grey.channels).toBe(1);
    expect(meanDifference(grey.data, (await read(png, 1)).data)).toBeLessThan(1);
  });

  test.each<[string, () => Promise<Buffer>, number]>([
    ['a progressive JPEG', () => picture.clone().jpeg({ progressive: true, quality: 100 }).toBuffer(), 1.5],
    ['a JPEG in CMYK', () => picture.clone().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(), 30],
    ['a PNG of 16 bits', () => picture.clone().toColourspace('rgb16').png().toBuffer(), 0.01],
    ['a PNG with a palette', () => picture.clone().png({ palette: true }).toBuffer(), 10],
    ['a PNG with alpha', () => picture.clone().ensureAlpha().png().toBuffer(), 0.01],
    ['a WebP', () => picture.clone().webp({ lossless: true }).toBuffer(), 0.01],
  ])('of %s is read', async (_, make, bound) => {
    const { data, width, height, channels } = await read(plain(await make()));
    expect({ width, height, channels }).toEqual({ width: 60, height: 40, channels: 3 });
    expect(meanDifference(data, rgb)).toBeLessThan(bound);
  });

  test('of a grey JPEG or PNG is that grey, thrice or once', async () => {
    const grey = await picture.clone().greyscale().raw().toBuffer();
    for (const bytes of [
      await picture.clone().greyscale().png().toBuffer(),
      await picture.clone().greyscale().jpeg({ quality: 100 }).toBuffer(),
    ]) {
      expect(meanDifference((await read(plain(bytes), 1)).data, grey)).toBeLessThan(1);
      expect((await read(plain(bytes))).channels).toBe(3);
    }
  });

  test('of an animation is its first frame', async () => {
    const frames = [rgb, rgb.map((value) => 255 - value)];
    const raw = { width: 60, height: 80, channels: 3, pageHeight: 40 } as const;
    const webp = sharp(Buffer.concat(frames), { raw }).webp({ lossless: true, loop: 0, delay: [100, 100] });
    const bytes = plain(await webp.toBuffer());
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    expect(await read(bytes)).toEqual(expected);
  });

  test('is turned upright as EXIF says', async () => {
    const turned = await picture.clone().withMetadata({ orientation: 6 }).png().toBuffer();
    const { data, width, height } = await read(plain(turned));
    expect([width, height]).toEqual([40, 60]);
    // A quarter to the right: what was bottom left is top left.
    expect(data.subarray(0, 3)).toEqual(rgb.subarray(39 * 180, 39 * 180 + 3));
  });
});

describe('what is no whole picture is refused', () => {
  const invalid = (words: string) => ({ code: 'invalid-data', message: expect.stringContaining(words) });

  test('a file that is cut off', async () => {
    for (const bytes of [png, jpeg])
      for (const part of [0.2, 0.5, 0.9, 0.99]) {
        const cut = bytes.slice(0, Math.floor(bytes.length * part));
        await expect(read(cut)).rejects.toMatchObject(invalid('without its end'));
      }
  });

  // A JPEG has no checksums, but a run of ones is in no Huffman code.
  test.each([
    ['PNG', () => png, [0, 0]],
    ['JPEG', () => jpeg, [0xff, 0x00]],
  ])('a %s with damaged data', async (_, whole, pair) => {
    const damaged = whole().slice();
    for (let i = 0; i < 40; i++) damaged[(damaged.length >> 1) + i] = pair[i % 2]!;
    await expect(read(damaged)).rejects.toMatchObject(invalid('classify: expected the whole file of a picture'));
  });

  test('another file, by its path', async () => {
    const path = join(folder, 'notes.txt');
    await fs.writeFile(path, 'This is no picture.');
    await expect(read(path)).rejects.toMatchObject(invalid(`${path}: expected the whole file of a picture`));
  });

  test('bytes of another file, and none', async () => {
    await expect(read(new TextEncoder().encode('no picture'))).rejects.toMatchObject(invalid('unsupported image'));
    await expect(read(new Uint8Array(0))).rejects.toMatchObject(invalid('received 0 bytes'));
    await expect(read(new ArrayBuffer(0))).rejects.toMatchObject(invalid('received 0 bytes'));
  });

  test('a file that is missing, a folder, a Blob that is gone', async () => {
    const missing = join(folder, 'missing.png');
    await expect(read(missing)).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('Check that the path is right'),
    });
    await expect(read(folder)).rejects.toMatchObject({ code: 'file-system' });
    const gone = new Blob([png.slice()]);
    vi.spyOn(gone, 'arrayBuffer').mockRejectedValue(new DOMException('gone', 'NotReadableError'));
    await expect(read(gone)).rejects.toMatchObject({ code: 'file-system', message: expect.stringContaining('again') });
  });
});

const photos = fileURLToPath(new URL('../../../shared/imagenet/photos', import.meta.url));
const why = existsSync(photos) ? '' : ' (skipped: no ../shared/imagenet/photos)';

describe.skipIf(why)(`the photos${why}`, () => {
  // Their small versions were stretched by a bilinear filter without antialiasing, with its corners on the picture's.
  test.each([
    ['cat', 3],
    ['elephants', 7],
  ])('%s, stretched, is near its small version: a mean difference below %f', async (name, bound) => {
    const small = await read(join(photos, `${name}.224.png`));
    expect(small).toMatchObject({ width: 224, height: 224, channels: 3 });
    const photo = join(photos, `${name}.jpg`);
    const near = await toPixels(photo, small, { fit: 'stretch' }, { where: 'classify' });
    expect(meanDifference(near, small.data)).toBeLessThan(bound);
    const cropped = await toPixels(photo, small, { fit: 'crop' }, { where: 'classify' });
    expect(meanDifference(cropped, small.data)).toBeGreaterThan(3 * bound);
  });

  test('a small version is read as it is', async () => {
    const path = join(photos, 'daisy.224.png');
    const small = await read(path);
    expect(await toPixels(path, small, {}, { where: 'classify' })).toEqual(small.data);
  });
});
