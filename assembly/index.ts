// What the module exports. No file here has static data or state: every kernel works on pointers into a memory that
// belongs to somebody else (tfjs), and gets its scratch memory from the caller, who asks `...ScratchBytes` for the size.
export { f32ColumnSums } from './columnSums';
export { f32Conv2dFilterGradient, f32Conv2dFilterGradientScratchBytes } from './conv2dFilterGradient';
export { f32Conv2dInputGradient, f32Conv2dInputGradientScratchBytes } from './conv2dInputGradient';
export { f32DepthwiseFilterGradient } from './depthwiseFilterGradient';
export { f32DepthwiseInputGradient } from './depthwiseInputGradient';
export { depthwiseScratchBytes as f32DepthwiseGradientScratchBytes } from './depthwiseRows';
export { f32ConvForward, f32ConvForwardScratchBytes } from './engine/convForward';
export {
  f32ConvInputGradient,
  f32ConvInputGradientScratchBytes,
  f32PointwiseInputGradient,
} from './engine/convInputGradient';
export { f32ConvWeightGradient, f32ConvWeightGradientScratchBytes } from './engine/convWeightGradient';
export { f32MaskGradient } from './engine/maskGradient';
export { f32MultiplyTiles, f32MultiplyTilesScratchBytes } from './engine/tile';
export {
  f32BatchNormBackward,
  f32BatchNormForward,
  f32BatchNormInference,
  f32BiasOnly,
  f32MovingAverage,
} from './engine/batchNorm';
export { f32DropoutBackward, f32DropoutForward, f32DropoutMask } from './engine/dropout';
export { f64Exp, f64Log } from './engine/math';
export { f32Adam, f32AllFinite, f32Momentum, f32Rmsprop, f32Sgd } from './engine/optimizers';
export { f32Accumulate, f32ExponentialAverage, f32SumOfSquares } from './engine/vectors';
export { f32ScaleBytes, f32ScaleFloats } from './engine/scalePixels';
export { f32GlobalAverageBackward, f32GlobalAverageForward } from './engine/pooling';
export { f32SoftmaxCrossEntropy } from './engine/softmaxCrossEntropy';
export { f32TransposePanels } from './engine/transposePanels';
export { f32DepthwiseBackward } from './engine/depthwiseBackward';
export { f32DepthwiseForward } from './engine/depthwiseForward';
export { f32DepthwiseScratchBytes } from './engine/depthwisePlanes';
export { f32SumGroups } from './engine/sumGroups';
export { copyPatches } from './engine/copyPatches';
export { f32DepthwisePixels } from './engine/depthwisePixels';
export { f32Maximum } from './engine/maximum';
export { f32MultiplyRows, f32MultiplyRowsScratchBytes } from './engine/multiplyRows';
export { i8DepthwiseRows, i8DepthwiseRowsScratchBytes } from './engine/int8Depthwise';
export {
  i16MultiplyRows,
  i16MultiplyRowsScratchBytes,
  i8MultiplyRows,
  i8MultiplyRowsScratchBytes,
} from './engine/int8MultiplyRows';
export { f32FromU8, i16FromPixels, i8GlobalAverage } from './engine/int8Pixels';
export { i8GroupSize, i8MultiplyTiles, i8MultiplyTilesScratchBytes } from './engine/int8Tile';
export { hasMultiplyAdd } from './simd';
