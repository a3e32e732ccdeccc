import type { PaddingStyle } from '../model/architecture';
import type { Activation } from './activation';
import type { FileMetadata } from './fileMetadata';

// KH and KW are a kernel's height and width, C its input channels, F its filters, M its outputs for each input channel.

/** File formats that weights come from. */
export type WeightFormat = 'keras-h5' | 'keras' | 'safetensors' | 'tfjs-layers' | 'tfjs-graph' | 'tflite' | 'onnx';

/** Row-major. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Named {
  /** As the file has it, for messages. */
  readonly name: string;
  /** What stands behind it, up to the next layer with weights; undefined where the file does not say. */
  readonly activation?: Activation | undefined;
}

/** How a window moves over a map, rows before columns; undefined where the file does not say. */
export interface Steps {
  readonly strides?: readonly number[] | undefined;
  /** Undefined is 1 where the strides are known. */
  readonly dilationRate?: readonly number[] | undefined;
}

/** A convolution; kernel `[KH,KW,C,F]`, bias `[F]`. */
export interface ConvWeights extends Named, Steps {
  readonly kind: 'conv';
  readonly kernel: Values;
  readonly bias?: Values | undefined;
}

/** A depthwise convolution; kernel `[KH,KW,C,M]`, bias `[C * M]`. */
export interface DepthwiseWeights extends Named, Steps {
  readonly kind: 'depthwise';
  readonly kernel: Values;
  readonly bias?: Values | undefined;
}

/** A dense layer, kernel `[C,F]`, bias `[F]`. It fits a 1x1 convolution of one pixel, and the other way round. */
export interface DenseWeights extends Named {
  readonly kind: 'dense';
  readonly kernel: Values;
  readonly bias?: Values | undefined;
}

/** A batch norm; all of `[C]`. */
export interface BatchNormWeights extends Named {
  readonly kind: 'batchNorm';
  readonly gamma?: Values | undefined;
  readonly beta?: Values | undefined;
  readonly movingMean: Values;
  readonly movingVariance: Values;
  /** Undefined where the format does not say. */
  readonly epsilon?: number | undefined;
}

export type WeightedLayer = ConvWeights | DepthwiseWeights | DenseWeights | BatchNormWeights;

/**
 * What every reader of a format makes of a file. `inputRange` is there where the file or its kind tells it, the other
 * metadata in files of ours.
 */
export interface NetworkWeights extends FileMetadata {
  readonly format: WeightFormat;
  /** The file's path or address, for messages. */
  readonly where: string;
  /**
   * From the input to the output; what has no weights is left out. Where batch norms were folded (TFLite, graph models)
   * there are none, and convolutions have biases in their place.
   */
  readonly layers: readonly WeightedLayer[];
  /** How the network of this file pads, where the file or its framework says so. */
  readonly padding?: PaddingStyle | undefined;
}

/** A file to be read, and where its neighbours are (the shards of a tfjs model). */
export interface WeightFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its path or address, for messages. */
  readonly where: string;
  /** Reads a file beside it; undefined where there is no way to get at one, as with bare bytes. */
  readonly readSibling?: ((path: string) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
}

/** Reads a format. It trusts nothing in the file, and throws `invalid-data` for whatever it cannot make sense of. */
export type WeightReader = (file: WeightFile) => Promise<NetworkWeights>;
