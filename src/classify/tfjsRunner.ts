import { type Tensor, tensor4d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { mapToRange } from '../data/tensors';
import type { FeatureSize } from '../graph/stage';
import type { InputRange } from '../inputRange';
import type { Runner } from './runner';

/** Options for {@link createTfjsRunner}. */
export interface TfjsRunnerOptions {
  /** Of the pictures that it will be given. */
  size: FeatureSize;
  /** What pixels 0 to 255 are mapped to. */
  inputRange: InputRange;
  /** Why it is not the engine that runs. */
  fallbackReason: string | undefined;
}

/** Runs a model, which stays the caller's, through tfjs on the active backend. */
export function createTfjsRunner(model: LayersModel, options: TfjsRunnerOptions): Runner {
  const { size, inputRange, fallbackReason } = options;
  const { height, width, channels } = size;
  return {
    info: {
      engine: 'tfjs',
      precision: 'float32',
      module: undefined,
      threads: undefined,
      fallbackReason,
      megabytes: undefined,
    },

    async run({ data, images }) {
      const output = predict(model, mapToRange(data, inputRange, channels), [images, height, width, channels]);
      return output.data<'float32'>().finally(() => output.dispose());
    },

    dispose: async () => {},
  };
}

function predict(model: LayersModel, numbers: Float32Array, shape: [number, number, number, number]): Tensor {
  const input = tensor4d(numbers, shape);
  try {
    return model.predictOnBatch(input) as Tensor;
  } finally {
    input.dispose();
  }
}
