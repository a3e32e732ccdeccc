import { mkdirSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as ort from 'onnxruntime-web';
import { createRandom } from '../../src/random';

ort.env.wasm.numThreads = 1;

export type PictureShape = [n: number, height: number, width: number, channels: number];

/** Pictures from -1 to 1, `[n,H,W,C]`. */
export function randomPictures(shape: PictureShape, seed = 5): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 2 * random.uniform() - 1);
}

/** What a network of ONNX puts out. */
export interface OnnxResult {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  /** Names of its input and output. */
  readonly names: readonly [input: string, output: string];
}

/** What onnxruntime-web, or another onnxruntime with the same interface, makes of pictures. */
export async function runOnnx(
  file: Uint8Array,
  pictures: Float32Array | Uint8Array,
  shape: readonly number[],
  { InferenceSession, Tensor }: Pick<typeof ort, 'InferenceSession' | 'Tensor'> = ort,
  provider = 'wasm',
): Promise<OnnxResult> {
  // Only errors: it warns of weights that it makes from others.
  const session = await InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3 });
  try {
    const names = [session.inputNames[0]!, session.outputNames[0]!] as const;
    const feed =
      pictures instanceof Uint8Array ? new Tensor('uint8', pictures, shape) : new Tensor('float32', pictures, shape);
    const output = (await session.run({ [names[0]]: feed }))[names[1]]!;
    if (!(output.data instanceof Float32Array)) throw new Error(`the output is ${output.type}`);
    return { data: output.data, dims: output.dims, names };
  } finally {
    await session.release();
  }
}

/** What tfjs makes of pictures. */
export function runTfjs(model: LayersModel, pictures: Float32Array, shape: PictureShape): Float32Array {
  return tf.tidy(() => (model.predict(tf.tensor4d(pictures, shape)) as tf.Tensor).dataSync<'float32'>());
}

/** `[n,H,W,C]` as `[n,C,H,W]`. */
export function toPlanes(pictures: Float32Array, shape: PictureShape): Float32Array {
  return tf.tidy(() => tf.transpose(tf.tensor4d(pictures, shape), [0, 3, 1, 2]).dataSync<'float32'>());
}

/** The largest difference; NaN where one of them is. */
export function largestError(received: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (received.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...Array.from(expected, (value, i) => Math.abs(received[i]! - value)));
}

/** A file, and what it must make of pictures. */
export interface OnnxCase {
  readonly file: Uint8Array;
  readonly pictures: Float32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly expected: Float32Array;
  readonly tolerance: number;
}

/** Writes it into the folder ONNX_FOLDER, where that is set, for test/golden/formats/check_onnx.py. */
export function keepForPython(name: string, { file, pictures, shape, expected, tolerance }: OnnxCase): void {
  const folder = process.env.ONNX_FOLDER;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name.replaceAll(/[^\w.]+/g, '_')}`;
  writeFileSync(`${path}.onnx`, file);
  writeFileSync(`${path}.json`, JSON.stringify({ shape, pictures: [...pictures], expected: [...expected], tolerance }));
}
