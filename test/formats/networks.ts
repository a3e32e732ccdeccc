import { readFileSync } from 'node:fs';
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { createRandom } from '../../src/random';
import { bytesOf } from '../golden/generator';
import { randomizeWeights } from '../graph/chains';

export const golden = (path: string) => new URL(`../golden/formats/${path}`, import.meta.url);

export const readJson = (path: string) => JSON.parse(readFileSync(golden(path), 'utf8'));

export const readBytes = (path: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(golden(path)));

/** A narrow MobileNetV1 of 32x32 pictures that gives logits; random weights and statistics with a seed. */
export function narrowNet({ seed, ...options }: MobilenetV1Options = {}): LayersModel {
  const model = mobilenetV1({
    alpha: 0.0625,
    classes: 5,
    inputShape: [32, 32, 3],
    ...(options.includeTop !== false && { classifierActivation: 'linear' }),
    ...options,
  });
  if (seed !== undefined) randomizeWeights(model, createRandom(seed));
  return model;
}

/** What a model makes of the picture of the golden scripts, of the size that it takes. */
export function outputsOf(model: LayersModel, count = 1): number[] {
  const [, height, width, channels] = model.inputs[0]!.shape as number[];
  const bytes = bytesOf(`formats/${height}`, count * height! * width! * channels!);
  const values = Float32Array.from(bytes, (byte) => (byte / 255) * 2 - 1);
  return tidy(() => {
    const pictures = tensor(values, [count, height!, width!, channels!]);
    return [...(model.predict(pictures) as Tensor).dataSync()];
  });
}

/** The largest difference, relative to the largest value. */
export function relativeError(actual: readonly number[], expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN)))) / largest;
}

/** The bits of all weights by their names. */
export function bitsOf(model: LayersModel): Map<string, number[]> {
  return new Map(
    model.weights.map((weight) => {
      const values = Float32Array.from(weight.read().dataSync());
      return [weight.originalName, [...new Uint32Array(values.buffer)]];
    }),
  );
}
