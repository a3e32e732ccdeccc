import {
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { type ConvolutionAttrs, convolutionGeometry, type DepthwiseGeometry } from './geometry';
import { runGradient, type WasmBackend } from './wasmBackend';
import type { Kernels } from './wasmModule';

/** The kernels that tfjs's gradients of `depthwiseConv2d` and `separableConv2d` call, for its wasm backend. */
export const depthwiseGradientKernels: readonly KernelConfig[] = [
  {
    kernelName: DepthwiseConv2dNativeBackpropFilter,
    backendName: 'wasm',
    kernelFunc: filterGradient as unknown as KernelFunc,
  },
  {
    kernelName: DepthwiseConv2dNativeBackpropInput,
    backendName: 'wasm',
    kernelFunc: inputGradient as unknown as KernelFunc,
  },
];

interface FilterGradientCall {
  inputs: { x: TensorInfo; dy: TensorInfo };
  attrs: ConvolutionAttrs & { filterShape: number[] };
  backend: WasmBackend;
}

function filterGradient({ inputs: { x, dy }, attrs, backend }: FilterGradientCall): TensorInfo {
  const where = DepthwiseConv2dNativeBackpropFilter;
  const { filterShape } = attrs;
  const shapes = { xShape: x.shape, filterShape, dyShape: dy.shape };
  const geometry = convolutionGeometry({ where, ...shapes, attrs, isDepthwise: true });
  return runGradient({
    where,
    backend,
    inputs: [x, dy],
    outputShape: filterShape,
    scratchBytes: (kernels) => scratchBytes(kernels, geometry),
    run: (kernels, ...offsets) => kernels.f32DepthwiseFilterGradient(...offsets, ...geometry),
  });
}

interface InputGradientCall {
  inputs: { dy: TensorInfo; filter: TensorInfo };
  attrs: ConvolutionAttrs & { inputShape: number[] };
  backend: WasmBackend;
}

function inputGradient({ inputs: { dy, filter }, attrs, backend }: InputGradientCall): TensorInfo {
  const where = DepthwiseConv2dNativeBackpropInput;
  const { inputShape } = attrs;
  const shapes = { xShape: inputShape, filterShape: filter.shape, dyShape: dy.shape };
  const geometry = convolutionGeometry({ where, ...shapes, attrs, isDepthwise: true });
  return runGradient({
    where,
    backend,
    inputs: [dy, filter],
    outputShape: inputShape,
    scratchBytes: (kernels) => scratchBytes(kernels, geometry),
    run: (kernels, ...offsets) => kernels.f32DepthwiseInputGradient(...offsets, ...geometry),
  });
}

function scratchBytes(kernels: Kernels, geometry: DepthwiseGeometry): number {
  const [, , , C, , OW, multiplier, KH, KW, , strideW, , , dilationH, dilationW] = geometry;
  return kernels.f32DepthwiseGradientScratchBytes(C, OW, multiplier, KH, KW, strideW, dilationH, dilationW);
}
