import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { type Conv2dGeometry, type ConvolutionAttrs, convolutionGeometry } from './geometry';
import { runGradient, type WasmBackend } from './wasmBackend';

/** The kernels that tfjs's gradient of `conv2d` calls, for its wasm backend. */
export const conv2dGradientKernels: readonly KernelConfig[] = [
  { kernelName: Conv2DBackpropFilter, backendName: 'wasm', kernelFunc: filterGradient as unknown as KernelFunc },
  { kernelName: Conv2DBackpropInput, backendName: 'wasm', kernelFunc: inputGradient as unknown as KernelFunc },
];

interface FilterGradientCall {
  inputs: { x: TensorInfo; dy: TensorInfo };
  attrs: ConvolutionAttrs & { filterShape: number[] };
  backend: WasmBackend;
}

function filterGradient({ inputs: { x, dy }, attrs, backend }: FilterGradientCall): TensorInfo {
  const where = Conv2DBackpropFilter;
  const { filterShape } = attrs;
  const geometry = geometryOf(where, x.shape, filterShape, dy.shape, attrs);
  const [, , , C, , , F, KH, KW] = geometry;
  return runGradient({
    where,
    backend,
    inputs: [x, dy],
    outputShape: filterShape,
    scratchBytes: (kernels) => kernels.f32Conv2dFilterGradientScratchBytes(C, F, KH, KW),
    run: (kernels, ...offsets) => kernels.f32Conv2dFilterGradient(...offsets, ...geometry),
  });
}

interface InputGradientCall {
  inputs: { dy: TensorInfo; filter: TensorInfo };
  attrs: ConvolutionAttrs & { inputShape: number[] };
  backend: WasmBackend;
}

function inputGradient({ inputs: { dy, filter }, attrs, backend }: InputGradientCall): TensorInfo {
  const where = Conv2DBackpropInput;
  const { inputShape } = attrs;
  const geometry = geometryOf(where, inputShape, filter.shape, dy.shape, attrs);
  const [, , , C, , , F, KH, KW] = geometry;
  return runGradient({
    where,
    backend,
    inputs: [dy, filter],
    outputShape: inputShape,
    scratchBytes: (kernels) => kernels.f32Conv2dInputGradientScratchBytes(C, F, KH, KW),
    run: (kernels, ...offsets) => kernels.f32Conv2dInputGradient(...offsets, ...geometry),
  });
}

function geometryOf(
  where: string,
  xShape: number[],
  filterShape: number[],
  dyShape: number[],
  attrs: ConvolutionAttrs,
): Conv2dGeometry {
  // tfjs's kernels for the gradients of a convolution have no dilation.
  const undilated = { ...attrs, dilations: 1 };
  const geometry = convolutionGeometry({ where, xShape, filterShape, dyShape, attrs: undilated, isDepthwise: false });
  return geometry.slice(0, -2) as Conv2dGeometry;
}
