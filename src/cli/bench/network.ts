import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ImageDataset, mobilenetV1, type PixelArray, trainClassifier } from '../../index';

const CLASSES = 10;

/** The same weights each time; no dropout, so that runtimes can be compared step by step. */
export function benchNetwork(alpha: number, size: number): LayersModel {
  return mobilenetV1({
    alpha,
    classes: CLASSES,
    inputShape: [size, size, 3],
    depthwiseInitializer: 'identity',
    batchNormMomentum: 0,
    dropout: 0,
    seed: 1,
  });
}

/**
 * The same with the statistics of some pictures in its batch norms: without them next to nothing of a picture gets through
 * a network that has not learned, and all classes are equally probable whatever computes them.
 */
export async function settledNetwork(alpha: number, size: number, signal: AbortSignal): Promise<LayersModel> {
  const model = benchNetwork(alpha, size);
  const pictures = noiseDataset(size, 8, 8);
  await trainClassifier(model, pictures, { engine: 'fused', optimizer: 'sgd', learningRate: 1e-9, seed: 1, signal });
  return model;
}

/** A picture of noise, the same for the same index. */
export function noisePicture(size: number, index: number): PixelArray {
  // Knuth's multiplicative hash.
  const first = index * size * size * 3;
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => Math.imul(first + i + 1, 0x9e3779b1) >>> 24);
  return { data, width: size, height: size };
}

/** As many pictures as one likes, of which some differ. */
export function noiseDataset(size: number, pictures: number, different: number): ImageDataset {
  const all = Array.from({ length: different }, (_, i) => noisePicture(size, i).data);
  const length = size * size * 3;
  return {
    ...{ size: pictures, height: size, width: size, channels: 3 },
    classNames: Array.from({ length: CLASSES }, (_, k) => `class ${k}`),
    read(indices) {
      const images = new Uint8Array(indices.length * length);
      const chosen = Array.from(indices, (index) => index % different);
      chosen.forEach((index, i) => void images.set(all[index]!, i * length));
      return { images, labels: Int32Array.from(chosen, (index) => index % CLASSES) };
    },
  };
}
