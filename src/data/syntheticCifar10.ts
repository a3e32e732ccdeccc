import { check, checkInteger, checkOptions } from '../errors';
import { createRandom, type Random, shuffleInPlace } from '../random';
import { type InMemoryImageDataset, inMemoryDataset, WHOLE_PICTURES } from './imageDataset';
import { SHAPES, type Shape } from './syntheticShapes';

/** Options for {@link syntheticCifar10}. */
export interface SyntheticCifar10Options {
  /** Pictures to train with. @default 2000 */
  train?: number | undefined;
  /** Pictures to test with. @default 500 */
  test?: number | undefined;
  /** The same seed gives the same pictures on every platform. @default 0 */
  seed?: number | undefined;
}

/**
 * A small dataset of the shape of CIFAR-10, `[N,32,32,3]`, drawn on the spot: ten figures and patterns of any place,
 * size, angle and colour, on uneven backgrounds, with noise. Classes are balanced.
 *
 * @throws {MobilenetError} `invalid-argument`
 * @example
 * ```ts
 * const { train, test } = syntheticCifar10({ train: 500, test: 100, seed: 1 });
 * console.log(train.size, train.classNames);
 * ```
 */
export function syntheticCifar10(options: SyntheticCifar10Options = {}): {
  train: InMemoryImageDataset;
  test: InMemoryImageDataset;
} {
  const where = 'syntheticCifar10';
  checkOptions(where, options, { train: 'any', test: 'any', seed: 'any' });
  const { train = 2000, test = 500, seed = 0 } = options;
  checkInteger(where, 'train', train, 1);
  checkInteger(where, 'test', test, 1);
  check(Number.isSafeInteger(seed), { where, expected: 'seed to be an integer', received: seed });
  return { train: draw(train, createRandom(seed, 0)), test: draw(test, createRandom(seed, 1)) };
}

const SIDE = 32;
const IMAGE_BYTES = SIDE * SIDE * 3;

/** Colours are red, green, blue, 0 to 255. */
type Colour = readonly [number, number, number];

function draw(size: number, random: Random): InMemoryImageDataset {
  const classNames = Object.keys(SHAPES);
  const shapes = Object.values(SHAPES);
  const labels = shuffleInPlace(
    Int32Array.from({ length: size }, (_, i) => i % shapes.length),
    random,
  );
  const images = new Uint8ClampedArray(size * IMAGE_BYTES);
  labels.forEach((label, i) => {
    const hue = label / shapes.length;
    drawPicture(images.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES), shapes[label]!, hue, random);
  });
  const shape = { height: SIDE, width: SIDE, channels: 3 };
  return inMemoryDataset({ images, labels, ...shape, classNames, resizing: WHOLE_PICTURES });
}

function drawPicture(pixels: Uint8ClampedArray, shape: Shape, classHue: number, random: Random): void {
  const radius = between(random, 8, 13);
  const place = () => SIDE / 2 + between(random, -1, 1) * (SIDE / 2 - radius);
  const [centreX, centreY] = [place(), place()];
  const [cos, sin] = direction(random);
  // Ships are mostly blue: each class has a favourite hue, which helps a little and often misleads.
  const hue = classHue + between(random, -HUE_SPREAD, HUE_SPREAD);
  const figure = colour(hue, between(random, 0.5, 1), between(random, 0.6, 1));
  const [left, right] = [backgroundColour(random), backgroundColour(random)];
  const [slopeX, slopeY] = direction(random);
  const noise = between(random, 20, 80);

  for (let y = 0, target = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const dx = (x + 0.5 - centreX) / radius;
      const dy = (y + 0.5 - centreY) / radius;
      const distance = shape(dx * cos + dy * sin, dy * cos - dx * sin) * radius;
      const cover = clamp(0.5 - distance);
      const mix = clamp(0.5 + ((x - SIDE / 2) * slopeX + (y - SIDE / 2) * slopeY) / SIDE);
      for (let channel = 0; channel < 3; channel++) {
        const background = left[channel]! + mix * (right[channel]! - left[channel]!);
        const value = background + cover * (figure[channel]! - background);
        pixels[target++] = value + noise * (random.uniform() - 0.5);
      }
    }
  }
}

const HUE_SPREAD = 0.2;

function backgroundColour(random: Random): Colour {
  return colour(random.uniform(), between(random, 0, 0.6), between(random, 0.1, 0.5));
}

/** Hue (its whole part does not matter), saturation and value in [0, 1], to RGB. */
function colour(hue: number, saturation: number, value: number): Colour {
  const channel = (shift: number) => {
    const turn = (hue + shift - Math.floor(hue + shift)) * 6;
    return 255 * value * (1 - saturation * clamp(Math.min(turn, 4 - turn)));
  };
  return [channel(5 / 6), channel(3 / 6), channel(1 / 6)];
}

/** Cosine and sine of a random angle, by picking a point of the disc. */
function direction(random: Random): readonly [number, number] {
  for (;;) {
    const [x, y] = [between(random, -1, 1), between(random, -1, 1)];
    const square = x * x + y * y;
    if (square > 0.01 && square <= 1) return [x / Math.sqrt(square), y / Math.sqrt(square)];
  }
}

function between(random: Random, low: number, high: number): number {
  return low + random.uniform() * (high - low);
}

function clamp(x: number): number {
  return Math.min(Math.max(x, 0), 1);
}
