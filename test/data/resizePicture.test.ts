import { describe, expect, test } from 'vitest';
import { type Picture, type ResizePictureOptions, resizePicture, windowOf } from '../../src/data/resizePicture';
import { createRandom } from '../../src/random';
import { bytesOf } from '../golden/generator';
import golden from '../golden/pillow.json';

const SEED = 41;

interface Size {
  width: number;
  height: number;
}

/** The definition: a double sum over the window for every value, in float64. */
function resizeByDefinition(picture: Picture, size: Size, options: ResizePictureOptions): number[] {
  const window = windowOf(picture, size, options);
  const weight = (length: number, newLength: number, o: number, i: number) => {
    const scale = length / newLength;
    return Math.max(0, 1 - Math.abs(i + 0.5 - (o + 0.5) * scale) / Math.max(scale, 1));
  };
  const values: number[] = [];
  for (let oy = 0; oy < size.height; oy++)
    for (let ox = 0; ox < size.width; ox++)
      for (let c = 0; c < picture.channels; c++) {
        let sum = 0;
        let total = 0;
        for (let y = 0; y < window.height; y++)
          for (let x = 0; x < window.width; x++) {
            const w = weight(window.height, size.height, oy, y) * weight(window.width, size.width, ox, x);
            const pixel = (window.top + y) * picture.width + window.left + x;
            sum += w * picture.data[pixel * picture.channels + c]!;
            total += w;
          }
        values.push(sum / total);
      }
  return values;
}

/** Random pixels; as floats none of them is whole. */
function randomPicture(kind: 'bytes' | 'floats', width: number, height: number, channels: number): Picture {
  const random = createRandom(SEED);
  const values = Array.from({ length: width * height * channels }, () => random.uniform() * 255);
  const data = kind === 'bytes' ? Uint8Array.from(values, Math.round) : Float32Array.from(values);
  return { data, width, height, channels };
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

describe(`resizePicture agrees with its definition (seed ${SEED}): bytes within 1.01, floats within 1e-4`, () => {
  const sizes: [from: string, to: string][] = [
    ['1x1', '4x3'],
    ['3x2', '1x1'],
    ['17x11', '8x8'],
    ['8x8', '17x11'],
    ['40x9', '7x13'],
    ['23x23', '23x23'],
    ['50x31', '16x16'],
  ];
  const sizeOf = (text: string): Size => {
    const [width, height] = text.split('x').map(Number);
    return { width: width!, height: height! };
  };
  const cases = sizes.flatMap(([from, to]) =>
    (['crop', 'stretch'] as const).flatMap((fit) =>
      [1, 0.875, 0.01].map((cropFraction) => ({ from, to, fit, cropFraction })),
    ),
  );
  test.each(cases)('$from to $to, $fit $cropFraction', async ({ from, to, fit, cropFraction }) => {
    const source = sizeOf(from);
    const size = sizeOf(to);
    for (const [kind, bound] of [
      ['bytes', 1.01],
      ['floats', 1e-4],
    ] as const) {
      const picture = randomPicture(kind, source.width, source.height, 3);
      const resized = await resizePicture(picture, size, { fit, cropFraction });
      expect(resized).toMatchObject({ ...size, channels: 3 });
      expect(resized.data.constructor).toBe(picture.data.constructor);
      const expected = resizeByDefinition(picture, size, { fit, cropFraction });
      expect(resized.data).toHaveLength(expected.length);
      expect(largestDifference(resized.data, expected)).toBeLessThan(bound);
    }
  });
});

describe(`resizePicture agrees with Pillow ${golden.version}: bytes exactly, floats within 1e-4`, () => {
  const decode = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  test.each(golden.cases)('$name', async ({ name, channels, source, window, size, bytes, floats }) => {
    const [width, height] = source as [number, number];
    const [left, top, windowWidth, windowHeight] = window as [number, number, number, number];
    const [newWidth, newHeight] = size as [number, number];
    const data = bytesOf(name, width * height * channels);
    const options: ResizePictureOptions =
      name.includes('stretch') || windowWidth * newHeight !== windowHeight * newWidth
        ? { fit: 'stretch' }
        : { fit: 'crop', cropFraction: name.includes('centre') ? 0.875 : 1 };
    const newSize = { width: newWidth, height: newHeight };
    expect(windowOf({ width, height }, newSize, options)).toEqual({
      left,
      top,
      width: windowWidth,
      height: windowHeight,
    });
    const resized = await resizePicture({ data, width, height, channels }, newSize, options);
    expect(resized.data).toEqual(decode(bytes));
    if (floats === undefined) return;
    const asFloats = { data: Float32Array.from(data), width, height, channels };
    const { data: resizedFloats } = await resizePicture(asFloats, newSize, options);
    expect(largestDifference(resizedFloats, new Float32Array(decode(floats).buffer))).toBeLessThan(1e-4);
  });
});

test('a window of the new size is copied as it is', async () => {
  for (const kind of ['bytes', 'floats'] as const) {
    const picture = randomPicture(kind, 9, 7, 3);
    const { data } = await resizePicture(picture, picture);
    expect(data).toEqual(picture.data);
    expect(data.buffer).not.toBe(picture.data.buffer);
  }
});

test.each([
  [{ width: 900, height: 600 }, {}, { left: 150, top: 0, width: 600, height: 600 }],
  [{ width: 899, height: 600 }, {}, { left: 149, top: 0, width: 600, height: 600 }],
  [{ width: 600, height: 900 }, { cropFraction: 0.875 }, { left: 37, top: 187, width: 525, height: 525 }],
  [{ width: 900, height: 600 }, { fit: 'stretch' }, { left: 0, top: 0, width: 900, height: 600 }],
  [
    { width: 900, height: 600 },
    { fit: 'stretch', cropFraction: 0.5 },
    { left: 225, top: 150, width: 450, height: 300 },
  ],
  [{ width: 5, height: 1 }, { cropFraction: 0.1 }, { left: 2, top: 0, width: 1, height: 1 }],
] as const)('the window of %o with %o is %o', (picture, options, window) => {
  expect(windowOf(picture, { width: 224, height: 224 }, options)).toEqual(window);
});

describe('a photo of 12 megapixels', () => {
  const photo = randomBytes(4_000, 3_000);

  test('leaves the event loop its turns', async () => {
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await resizePicture(photo, { width: 224, height: 224 });
    isDone = true;
    expect(turns).toBeGreaterThan(3);
  });

  test('can be aborted on the way', async () => {
    const controller = new AbortController();
    const resizing = resizePicture(photo, { width: 224, height: 224 }, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(resizing).rejects.toThrow('enough');
  });
});

function randomBytes(width: number, height: number): Picture {
  return { data: bytesOf('photo', width * height * 3), width, height, channels: 3 };
}
