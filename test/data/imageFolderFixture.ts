import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PNG } from 'pngjs';
import sharp, { type Sharp } from 'sharp';

/** A smooth picture, RGB, so that JPEG changes it little; each seed has its own colours. */
export function smoothPixels(width: number, height: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / (3 * width));
    return [(255 * x) / width, (255 * y) / height, (x + y + 40 * seed) % 256][i % 3]!;
  });
}

export function smoothPicture(width: number, height: number, seed = 0): Sharp {
  return sharp(smoothPixels(width, height, seed), { raw: { width, height, channels: 3 } });
}

/** By another encoder than the library's decoder has. */
export function smoothPng(width: number, height: number, seed = 0): Uint8Array<ArrayBuffer> {
  const png = new PNG({ width, height });
  const rgb = smoothPixels(width, height, seed);
  for (let i = 0; i < width * height; i++) png.data.set([...rgb.subarray(i * 3, i * 3 + 3), 255], i * 4);
  return new Uint8Array(PNG.sync.write(png));
}

/** A temporary folder with these files. */
export async function writeTree(files: Record<string, Uint8Array | string>): Promise<string> {
  const root = await fs.mkdtemp(join(tmpdir(), 'mobilenet-folder-'));
  for (const [path, content] of Object.entries(files)) {
    await fs.mkdir(dirname(join(root, path)), { recursive: true });
    await fs.writeFile(join(root, path), content);
  }
  return root;
}
