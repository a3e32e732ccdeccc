/** Pictures of the model's size, as numbers from 0 to 255. */
export interface Pixels {
  /** `[images,H,W,C]`, row-major; floats where the pictures came as floats. */
  readonly data: Uint8Array | Float32Array;
  readonly images: number;
}

/** What runs a model in inference mode; `createClassifier` does not know which implementation it holds. */
export interface Runner {
  readonly info: ClassifierInfo;
  /** The model's outputs `[images, ...outputs]`, row-major: probabilities where it ends in a softmax. */
  run(pixels: Pixels): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** What a classifier runs on. */
export interface ClassifierInfo {
  /** The library's own kernels, or tfjs. */
  readonly engine: 'fused' | 'tfjs';
  readonly precision: 'float32' | 'int8';
  /** Instructions of the kernels; undefined with tfjs. */
  readonly module: 'relaxed-simd' | 'simd' | undefined;
  /** Threads of the engine; undefined with tfjs. */
  readonly threads: number | undefined;
  /** Why it runs through tfjs, where the choice was `'auto'`. */
  readonly fallbackReason: string | undefined;
  /** Of the engine's WebAssembly memory; undefined with tfjs. */
  readonly megabytes: number | undefined;
}
