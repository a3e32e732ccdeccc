/** Where a window lies, and how it moves. */
export type EngineWindow = [KH: number, KW: number, strideH: number, strideW: number, padTop: number, padLeft: number];

/** N pictures `[H,W,C]` to `[OH,OW,F]`; channels are padded, padTop and padLeft are zeros before the picture. */
export type EngineConvGeometry = [
  ...sizes: [N: number, H: number, W: number, C: number, OH: number, OW: number, F: number],
  ...window: EngineWindow,
];

/** The same of a depthwise convolution, M outputs for each input channel: Q is C * M before the padding. */
export type EngineDepthwiseGeometry = [
  ...sizes: [N: number, H: number, W: number, C: number, OH: number, OW: number, Q: number, M: number],
  ...window: EngineWindow,
];

type WithoutBatch<T extends unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;

/** The WebAssembly exports that the engine runs on; pointers are byte offsets into its memory. */
export interface EngineKernels {
  /** 1 in the relaxed SIMD module. */
  hasMultiplyAdd(): number;
  f32ConvForward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, low: number, high: number],
      ...buffers: [w: number, z: number, moments: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, rowsPerBlock: number, tileRows: number],
      ...geometry: EngineConvGeometry,
    ]
  ): void;
  f32ConvForwardScratchBytes(rowsPerBlock: number, K: number): number;
  f32PointwiseInputGradient(
    ...args: [
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      transposed: number,
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number],
      ...buffers: [dx: number, sums: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, rowsPerBlock: number, tileRows: number],
      ...sizes: [P: number, C: number, F: number],
    ]
  ): void;
  f32ConvInputGradient(
    ...args: [
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      transposed: number,
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number],
      ...buffers: [dx: number, sums: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, rowsPerBlock: number, tileRows: number],
      ...geometry: WithoutBatch<EngineConvGeometry>,
    ]
  ): void;
  f32ConvInputGradientScratchBytes(rowsPerBlock: number, F: number, K: number): number;
  f32ConvWeightGradient(
    ...args: [
      ...source: [x: number, scale: number, offset: number, low: number, high: number],
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      ...buffers: [dw: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, rowsPerChunk: number, depth: number, tileRows: number],
      ...geometry: EngineConvGeometry,
    ]
  ): void;
  f32ConvWeightGradientScratchBytes(depth: number, K: number): number;
  f32MultiplyTiles(scratch: number, depth: number, rows: number, tileRows: number): void;
  f32MultiplyTilesScratchBytes(depth: number, rows: number): number;
  f32MaskGradient(
    ...args: [
      dx: number,
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number],
      sums: number,
      ...share: [unitBegin: number, unitEnd: number, rowsPerBlock: number],
      ...sizes: [P: number, C: number],
    ]
  ): void;
  f32ScaleBytes(
    ...args: [
      ...buffers: [bytes: number, out: number],
      ...share: [begin: number, end: number],
      ...sizes: [channels: number, C: number],
      ...scaling: [factors: number, shifts: number],
    ]
  ): void;
  f32ScaleFloats(
    ...args: [
      ...buffers: [floats: number, out: number],
      ...share: [begin: number, end: number],
      ...sizes: [channels: number, C: number],
      ...scaling: [factors: number, shifts: number],
    ]
  ): void;
  copyPatches(
    ...args: [
      ...buffers: [x: number, out: number],
      ...share: [begin: number, end: number],
      ...sizes: [pixelBytes: number, rowBytes: number, H: number, W: number, OH: number, OW: number],
      ...window: EngineWindow,
    ]
  ): void;
  f32DepthwisePixels(
    ...args: [
      ...source: [x: number, w: number, bias: number, low: number, high: number],
      ...share: [out: number, begin: number, end: number],
      ...geometry: WithoutBatch<EngineDepthwiseGeometry>,
    ]
  ): void;
  f32MultiplyRows(
    ...args: [
      ...source: [rows: number, w: number, bias: number, low: number, high: number],
      ...buffers: [out: number, scratch: number],
      ...sizes: [count: number, K: number, F: number],
      ...share: [panelBegin: number, panelEnd: number, tileRows: number],
    ]
  ): void;
  f32MultiplyRowsScratchBytes(count: number, K: number): number;
  f32Maximum(x: number, begin: number, end: number): number;
  f32BatchNormForward(
    ...args: [
      ...statistics: [moments: number, slots: number, C: number, count: number],
      ...parameters: [gamma: number, beta: number, epsilon: number],
      ...out: [mean: number, variance: number, rstd: number, scale: number, offset: number],
      ...share: [realChannels: number, begin: number, end: number],
    ]
  ): void;
  f32BatchNormInference(
    ...args: [
      ...parameters: [gamma: number, beta: number, movingMean: number, movingVariance: number],
      ...constants: [epsilon: number, bias: number],
      ...out: [mean: number, rstd: number, scale: number, offset: number],
      ...share: [realChannels: number, begin: number, end: number],
    ]
  ): void;
  f32BiasOnly(bias: number, scale: number, offset: number, realChannels: number, begin: number, end: number): void;
  f32BatchNormBackward(
    ...args: [
      ...statistics: [sums: number, slots: number, C: number, count: number],
      ...forward: [rstd: number, scale: number, mean: number, batchStatistics: boolean],
      ...gradients: [dgamma: number, dbeta: number, dbias: number],
      ...out: [c1: number, c2: number, c3: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32MovingAverage(
    ...args: [
      ...buffers: [moving: number, movingOut: number, value: number, extra: number],
      ...share: [momentum: number, begin: number, end: number],
    ]
  ): void;
  f32GlobalAverageForward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, low: number, high: number],
      ...sizes: [out: number, pixels: number, C: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32GlobalAverageBackward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number],
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      ...buffers: [dx: number, sums: number],
      ...share: [imagesPerUnit: number, unitBegin: number, unitEnd: number],
      ...sizes: [N: number, pixels: number, C: number],
    ]
  ): void;
  f32DropoutMask(mask: number, seed: number, stream: number, rate: number, begin: number, end: number): void;
  f32DropoutForward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, low: number, high: number],
      ...buffers: [mask: number, out: number],
      ...share: [C: number, begin: number, end: number],
    ]
  ): void;
  f32DropoutBackward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number],
      mask: number,
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      ...buffers: [dx: number, sums: number],
      ...share: [rowsPerUnit: number, unitBegin: number, unitEnd: number],
      ...sizes: [rows: number, C: number],
    ]
  ): void;
  f32SoftmaxCrossEntropy(
    ...args: [
      ...source: [logits: number, scale: number, offset: number, labels: number, targets: number],
      ...out: [dlogits: number, probabilities: number, losses: number, correct: number],
      ...sizes: [N: number, K: number, K8: number],
      clip: boolean,
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32Sgd(
    ...args: [
      ...buffers: [w: number, wOut: number, g: number],
      ...constants: [learningRate: number, gradientScale: number, weightDecay: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32Momentum(
    ...args: [
      ...buffers: [w: number, wOut: number, g: number, velocity: number],
      ...constants: [learningRate: number, momentum: number, nesterov: boolean],
      ...factors: [gradientScale: number, weightDecay: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32Adam(
    ...args: [
      ...buffers: [w: number, wOut: number, g: number, m: number, v: number],
      ...constants: [learningRate: number, beta1: number, beta2: number, epsilon: number],
      ...step: [correction1: number, correction2: number],
      ...factors: [gradientScale: number, weightDecay: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32Rmsprop(
    ...args: [
      ...buffers: [w: number, wOut: number, g: number, meanSquare: number, velocity: number],
      ...constants: [learningRate: number, decay: number, momentum: number, epsilon: number],
      ...factors: [gradientScale: number, weightDecay: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32Accumulate(x: number, sum: number, factor: number, isFirst: boolean, begin: number, end: number): void;
  f32ExponentialAverage(average: number, x: number, keep: number, begin: number, end: number): void;
  f32SumOfSquares(x: number, begin: number, end: number): number;
  /** 1 where no value is NaN or infinite, otherwise 0. */
  f32AllFinite(x: number, begin: number, end: number): number;
  f32TransposePanels(w: number, out: number, K: number, F: number, unitBegin: number, unitEnd: number): void;
  /** e^x, and ln x for x > 0, of the softmax; numbers in and out. */
  f64Exp(x: number): number;
  f64Log(x: number): number;
  f32DepthwiseForward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, low: number, high: number],
      ...buffers: [w: number, z: number, moments: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, imagesPerUnit: number],
      ...geometry: EngineDepthwiseGeometry,
    ]
  ): void;
  f32DepthwiseBackward(
    ...args: [
      ...source: [x: number, scale: number, offset: number, mean: number, low: number, high: number, w: number],
      ...gradient: [dy: number, z: number, c1: number, c2: number, c3: number],
      ...buffers: [dx: number, sums: number, dw: number, scratch: number],
      ...share: [unitBegin: number, unitEnd: number, imagesPerUnit: number],
      ...geometry: EngineDepthwiseGeometry,
    ]
  ): void;
  f32DepthwiseScratchBytes(
    ...args: [...sizes: [H: number, W: number, OH: number, OW: number, M: number], ...window: EngineWindow]
  ): number;
  f32SumGroups(partials: number, out: number, groups: number, count: number, begin: number, end: number): void;
  /** Values of a row that a word of packed int8 weights holds: 4 int8 with the relaxed dot product, 2 int16 without. */
  i8GroupSize(): number;
  i8MultiplyRows(
    ...args: [
      ...source: [rows: number, w: number, bias: number, multipliers: number],
      ...buffers: [out: number, scratch: number],
      ...sizes: [count: number, K: number, F: number],
      ...share: [panelBegin: number, panelEnd: number, tileRows: number, variant: number],
    ]
  ): void;
  i8MultiplyRowsScratchBytes(count: number, K: number): number;
  i16MultiplyRows(
    ...args: [
      ...source: [rows: number, w: number, bias: number, multipliers: number],
      ...buffers: [out: number, scratch: number],
      ...sizes: [count: number, K: number, F: number],
      ...share: [panelBegin: number, panelEnd: number],
    ]
  ): void;
  i16MultiplyRowsScratchBytes(count: number, K: number): number;
  i8MultiplyTiles(scratch: number, depth: number, rows: number, tileRows: number, variant: number): void;
  i8MultiplyTilesScratchBytes(depth: number, rows: number): number;
  i8DepthwiseRows(
    ...args: [
      ...source: [x: number, w: number, bias: number, multipliers: number],
      ...buffers: [out: number, scratch: number],
      ...share: [begin: number, end: number],
      ...geometry: WithoutBatch<EngineDepthwiseGeometry>,
    ]
  ): void;
  i8DepthwiseRowsScratchBytes(Q: number, M: number, KH: number, KW: number): number;
  i8GlobalAverage(
    ...args: [
      ...buffers: [x: number, out: number],
      ...sizes: [factor: number, pixels: number, C: number],
      ...share: [begin: number, end: number],
    ]
  ): void;
  f32FromU8(x: number, out: number, scale: number, begin: number, end: number): void;
  i16FromPixels(
    ...args: [
      ...buffers: [pixels: number, out: number],
      ...share: [begin: number, end: number],
      ...sizes: [channels: number, C: number],
      ...scaling: [factor: number, shift: number, isFloat: boolean],
    ]
  ): void;
}
