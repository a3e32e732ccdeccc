// What the module exports. No file here has static data or state: every kernel works on pointers into a memory that
// belongs to somebody else (tfjs), and gets its scratch memory from the caller, who asks `...ScratchBytes` for the size.
export { f32ColumnSums } from './columnSums';
export { f32Conv2dFilterGradient, f32Conv2dFilterGradientScratchBytes } from './conv2dFilterGradient';
export { f32Conv2dInputGradient, f32Conv2dInputGradientScratchBytes } from './conv2dInputGradient';
export { f32DepthwiseFilterGradient } from './depthwiseFilterGradient';
export { f32DepthwiseInputGradient } from './depthwiseInputGradient';
export { depthwiseScratchBytes as f32DepthwiseGradientScratchBytes } from './depthwiseRows';
