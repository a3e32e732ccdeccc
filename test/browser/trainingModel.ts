import { input, type LayersModel, layers, model } from '@tensorflow/tfjs-layers';
import {
  convBlock,
  depthwiseConvBlock,
  type ImageFolderSource,
  loadImageFolder,
  type TrainClassifierOptions,
  trainClassifier,
} from '../../src/index';

/** The first blocks of a MobileNet, and its head. */
export function smallModel({ size = 32, classes = 10, dropout = 0 } = {}): LayersModel {
  const options = { strides: 2, batchNormMomentum: 0.9 };
  const pictures = input({ shape: [size, size, 3] });
  let features = convBlock(pictures, { ...options, filters: 8, seed: 1 });
  features = depthwiseConvBlock(features, { ...options, filters: 16, seed: 2 });
  features = layers.globalAveragePooling2d({}).apply(features) as typeof features;
  if (dropout > 0) features = layers.dropout({ rate: dropout }).apply(features) as typeof features;
  const initializer = { className: 'GlorotUniform', config: { seed: 3 } } as const;
  const head = layers.dense({ units: classes, activation: 'softmax', kernelInitializer: initializer as never });
  return model({ inputs: pictures, outputs: head.apply(features) as typeof features });
}

/** All weights, moving averages too, in the order in which they were made. */
export function weightsOf(trained: LayersModel): Float32Array[] {
  const inOrder = [...trained.weights].sort((a, b) => a.id - b.id);
  return inOrder.map((weight) => weight.read().dataSync() as Float32Array);
}

/** The losses of a training on a folder of pictures, each batch changed in every way; in Node and in browsers alike. */
export async function trainOnFolder(source: ImageFolderSource, options: TrainClassifierOptions): Promise<number[]> {
  const dataset = await loadImageFolder(source, { size: 16, memoryLimitMegabytes: 0 });
  const trained = smallModel({ size: 16, classes: dataset.classNames.length });
  const losses: number[] = [];
  await trainClassifier(trained, dataset, {
    epochs: 3,
    batchSize: 4,
    seed: 7,
    augment: {
      rotation: 15,
      crop: { padding: 2, fill: 'reflect' },
      flip: 'random',
      brightness: 0.2,
      contrast: 0.2,
      saturation: 0.2,
      cutout: { size: 4 },
    },
    ...options,
    onBatch: ({ loss }) => void losses.push(loss),
  });
  trained.dispose();
  return losses;
}
