import { describe, expect, test } from 'vitest';
import { interpolations } from '../../src/data/resizeFilter';
import { type Picture, type ResizePictureOptions, resizePicture, windowOf } from '../../src/data/resizePicture';
import { createRandom } from '../../src/random';
import { bytesOf } from '../golden/generator';
import golden from '../golden/pillow.json';

const SEED = 41;

interface Size {
  width: number;
  height: number;
}

const curves = {
  bilinear: (d: number) => Math.max(0, 1 - d),
  bicubic(d: number) {
    if (d < 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
    return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
  },
};

/** The definition, in float64: for every new value a sum over all pixels of the axis; across, then down. */
function resizeByDefinition(picture: Picture, size: Size, options: ResizePictureOptions): number[] {
  const { channels } = picture;
  const window = windowOf(picture, size, options);
  const curve = curves[options.interpolation ?? 'bilinear'];
  const blendAxis = (length: number, newLength: number, o: number, valueAt: (i: number) => number) => {
    const scale = length / newLength;
    let sum = 0;
    let total = 0;
    for (let i = 0; i < length; i++) {
      const w = curve(Math.abs(i + 0.5 - (o + 0.5) * scale) / Math.max(scale, 1));
      sum += w * valueAt(i);
      total += w;
    }
    return Math.min(255, Math.max(0, sum / total));
  };
  const narrowed = Array.from({ length: window.height }, (_, y) =>
    Array.from({ length: size.width * channels }, (_, i) =>
      blendAxis(window.width, size.width, Math.floor(i / channels), (x) => {
        const pixel = (window.top + y) * picture.width + window.left + x;
        return picture.data[pixel * channels + (i % channels)]!;
      }),
    ),
  );
  return Array.from({ length: size.height * size.width * channels }, (_, i) => {
    const rowLength = size.width * channels;
    return blendAxis(window.height, size.height, Math.floor(i / rowLength), (y) => narrowed[y]![i % rowLength]!);
  });
}

/** Random pixels; as floats none of them is whole. */
function randomPicture(kind: 'bytes' | 'floats', width: number, height: number, channels: number): Picture {
  const random = createRandom(SEED);
  const values = Array.from({ length: width * height * channels }, () => random.uniform() * 255);
  const data = kind === 'bytes' ? Uint8Array.from(values, Math.round) : Float32Array.from(values);
  return { data, width, height, channels };
}

const decode = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

describe(`resizePicture agrees with its definition (seed ${SEED}): bytes within 1.01 (bicubic 1.15), floats 1e-4`, () => {
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
      [1, 0.875, 0.01].flatMap((cropFraction) =>
        interpolations.map((interpolation) => ({ from, to, fit, cropFraction, interpolation })),
      ),
    ),
  );
  test.each(cases)('$from to $to, $fit $cropFraction $interpolation', async ({ from, to, ...options }) => {
    const source = sizeOf(from);
    const size = sizeOf(to);
    for (const [kind, bound] of [
      ['bytes', options.interpolation === 'bicubic' ? 1.15 : 1.01],
      ['floats', 1e-4],
    ] as const) {
      const picture = randomPicture(kind, source.width, source.height, 3);
      const resized = await resizePicture(picture, size, options);
      expect(resized).toMatchObject({ ...size, channels: 3 });
      expect(resized.data.constructor).toBe(picture.data.constructor);
      const expected = resizeByDefinition(picture, size, options);
      expect(resized.data).toHaveLength(expected.length);
      expect(largestDifference(resized.data, expected)).toBeLessThan(bound);
    }
  });
});

describe(`resizePicture agrees with Pillow ${golden.version}: bytes exactly, floats within 1e-4`, () => {
  const cases = golden.cases.flatMap((one) => interpolations.map((interpolation) => ({ ...one, interpolation })));
  test.each(cases)(
    '$name, $interpolation',
    async ({ name, channels, source, window, size, interpolation, ...made }) => {
      const [width, height] = source as [number, number];
      const [left, top, windowWidth, windowHeight] = window as [number, number, number, number];
      const [newWidth, newHeight] = size as [number, number];
      const { bytes, floats } = made[interpolation];
      const data = bytesOf(name, width * height * channels);
      const isStretched = name.includes('stretch') || windowWidth * newHeight !== windowHeight * newWidth;
      const options: ResizePictureOptions = isStretched
        ? { fit: 'stretch', interpolation }
        : { fit: 'crop', cropFraction: name.includes('centre') ? 0.875 : 1, interpolation };
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
    },
  );
});

describe('cropAfterResize gives the very bytes of torchvision’s Resize and CenterCrop', () => {
  const cases = golden.croppedLast.flatMap((one) => interpolations.map((interpolation) => ({ ...one, interpolation })));
  test.each(cases)('$name, $interpolation', async ({ name, source, shorter, size, interpolation, ...made }) => {
    const [width, height] = source as [number, number];
    const picture = { data: bytesOf(name, width * height * 3), width, height, channels: 3 };
    const options = { cropFraction: size / shorter, cropAfterResize: true, interpolation };
    const resized = await resizePicture(picture, { width: size, height: size }, options);
    expect(resized).toMatchObject({ width: size, height: size, channels: 3 });
    expect(resized.data).toEqual(decode(made[interpolation]));
  });

  test('of another aspect ratio; stretched', async () => {
    const picture = randomBytes(40, 30);
    const size = { width: 6, height: 12 };
    const whole = await resizePicture(picture, { width: 21, height: 16 }, { fit: 'stretch' });
    const cropped = await resizePicture(picture, size, { cropFraction: 0.75, cropAfterResize: true });
    expect(cropped.data).toEqual(centre(whole, size, { left: 8, top: 2 }));
    const squeezed = await resizePicture(picture, { width: 8, height: 16 }, { fit: 'stretch' });
    const stretched = await resizePicture(picture, size, { fit: 'stretch', cropFraction: 0.75, cropAfterResize: true });
    expect(stretched.data).toEqual(centre(squeezed, size, { left: 1, top: 2 }));
  });

  function centre({ data, width, channels }: Picture, size: Size, { left, top }: { left: number; top: number }) {
    return Uint8Array.from({ length: size.width * size.height * channels }, (_, i) => {
      const row = Math.floor(i / (size.width * channels));
      return data[((top + row) * width + left) * channels + (i % (size.width * channels))]!;
    });
  }
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
