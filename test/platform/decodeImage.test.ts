import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { platform as browser } from '../../src/platform/browser';
import { drawnPixels } from '../../src/platform/canvas';
import { platform as node } from '../../src/platform/node';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('sharp');
  vi.resetModules();
});

/** A PNG of one colour type, RGB, whose header claims any size. */
function pngThatClaims(width: number, height: number) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return [ends.subarray(0, 4), body, ends.subarray(4)];
  };
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const pixels = deflateSync(Buffer.alloc(height === 1 ? 1 + 3 * width : 100));
  const chunks = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([signature, ...chunks.flat()]));
}

describe('in Node', () => {
  test('sharp gives the pixels, and alpha where the file has it', async () => {
    expect(await node.decodeImage(pngThatClaims(2, 1), 'a')).toEqual({
      data: new Uint8Array(6),
      width: 2,
      height: 1,
      channels: 3,
    });
    const raw = { width: 1, height: 1, channels: 4 } as const;
    const png = await sharp(Uint8Array.of(1, 2, 3, 128), { raw })
      .png()
      .toBuffer();
    const { data, channels } = await node.decodeImage(new Uint8Array(png), 'a');
    expect([channels, ...data]).toEqual([4, 1, 2, 3, 128]);
  });

  test.each(['srgb', 'p3'])('16 bits with a profile (%s) come as sRGB', async (profile) => {
    const background = { r: 200, g: 50, b: 20 };
    const picture = sharp({ create: { width: 1, height: 1, channels: 3, background } }).toColourspace('rgb16');
    const png = await picture.withIccProfile(profile).png().toBuffer();
    const { data } = await node.decodeImage(new Uint8Array(png), 'a');
    for (const [c, value] of [200, 50, 20].entries()) expect(Math.abs(data[c]! - value)).toBeLessThanOrEqual(1);
  });

  test.each([
    [17_000, 17_000],
    [100_000, 100_000],
  ])('a small file that claims %i x %i pixels is refused before any memory is taken', async (width, height) => {
    await expect(node.decodeImage(pngThatClaims(width, height), 'bomb')).rejects.toMatchObject({
      code: 'invalid-data',
      message:
        'bomb: expected a picture of at most 268402689 pixels, as 16383 x 16383 has, ' +
        `received ${width} x ${height}. Save it in a smaller size; classifiers look at a few hundred pixels a side.`,
    });
  });

  test('without sharp the line to run is named', async () => {
    vi.resetModules();
    vi.doMock('sharp', () => {
      throw new Error("Cannot find package 'sharp'");
    });
    const { platform } = await import('../../src/platform/node');
    await expect(platform.decodeImage(pngThatClaims(2, 1), 'classify')).rejects.toMatchObject({
      name: 'MobilenetError',
      code: 'missing-backend',
      message: expect.stringMatching(/^classify: expected the package sharp.+Run: npm install sharp/),
    });
  });
});

/** What a canvas is used for here; `pixels` is what it has drawn, or how it refuses, and `black` what a filled pixel is. */
function fakeCanvas(pixels: () => number[], black = [0, 0, 0, 255]) {
  return (width: number, height: number) => {
    const canvas = { width, height, getContext: () => context };
    let isDrawn = false;
    const context = {
      canvas,
      fillRect: () => {},
      clearRect: () => {},
      drawImage: () => {
        isDrawn = true;
      },
      getImageData: () => ({ data: Uint8ClampedArray.from(isDrawn ? pixels() : black) }),
    };
    return canvas;
  };
}

// test/browser has a real one; these are the ways that Chromium does not take.
describe('in a browser', () => {
  const bitmap = { width: 1, height: 1, close: vi.fn() };
  const refuse = (name: string) => () => {
    throw new DOMException('refused', name);
  };

  test('the bitmap is closed, whether it can be drawn or not', async () => {
    vi.stubGlobal('createImageBitmap', async () => bitmap);
    const draw = fakeCanvas(() => [1, 2, 3, 255]);
    vi.stubGlobal('OffscreenCanvas', function OffscreenCanvas(width: number, height: number) {
      return draw(width, height);
    });
    expect(await browser.decodeImage(new Uint8Array(1), 'a')).toMatchObject({ width: 1, height: 1, channels: 4 });
    expect(bitmap.close).toHaveBeenCalledTimes(1);
    vi.stubGlobal('OffscreenCanvas', undefined);
    await expect(browser.decodeImage(new Uint8Array(1), 'a')).rejects.toThrow('a canvas to read pixels with');
    expect(bitmap.close).toHaveBeenCalledTimes(2);
  });

  test('a canvas of the page serves where there is no OffscreenCanvas', () => {
    vi.stubGlobal('document', { createElement: () => fakeCanvas(() => [1, 2, 3, 255])(0, 0) });
    expect([...drawnPixels(bitmap as unknown as ImageBitmap, 1, 1, 'classify').data]).toEqual([1, 2, 3, 255]);
  });

  test('a canvas gives its memory back, whether it could be read or not', () => {
    for (const pixels of [() => [1, 2, 3, 255], refuse('SecurityError')]) {
      const canvas = fakeCanvas(pixels)(1, 1);
      vi.stubGlobal('document', { createElement: () => canvas });
      try {
        drawnPixels(bitmap as unknown as ImageBitmap, 1, 1, 'classify');
      } catch {}
      expect(canvas).toMatchObject({ width: 0, height: 0 });
    }
  });

  test('one that Safari leaves empty, as it is too large, is no black picture', () => {
    vi.stubGlobal('document', { createElement: () => fakeCanvas(() => [0, 0, 0, 0], [0, 0, 0, 0])(0, 0) });
    expect(() => drawnPixels(bitmap as unknown as ImageBitmap, 5712, 4284, 'classify')).toThrow(
      expect.objectContaining({ code: 'invalid-data', message: expect.stringMatching(/received 5712 x 4284 pixels/) }),
    );
  });

  test.each([
    ['SecurityError', 'crossorigin="anonymous"'],
    ['InvalidStateError', 'not larger than a canvas may be'],
  ])('%s says what to do', (name, words) => {
    vi.stubGlobal('document', { createElement: () => fakeCanvas(refuse(name))(0, 0) });
    expect(() => drawnPixels(bitmap as unknown as ImageBitmap, 1, 1, 'classify')).toThrow(words);
  });
});
