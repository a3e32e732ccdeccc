import {
  backend_util,
  type KernelConfig,
  type KernelFunc,
  Mean,
  Sum,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { allocateOutput, memoryOf, offsetOf, type WasmBackend } from './wasmBackend';
import { kernelsOn } from './wasmModule';

interface ReductionCall {
  inputs: { x: TensorInfo };
  attrs: { axis: number | number[]; keepDims?: boolean };
  backend: WasmBackend;
}

/**
 * tfjs's `Sum` or `Mean`, faster where the axes are the leading ones, as batch norm's `[0, 1, 2]` of `[N,H,W,C]`.
 *
 * tfjs moves those axes to the end first and then adds one value after the other; the columns of a row-major matrix can
 * be added as they lie. Other reductions stay with tfjs's kernel.
 */
export function fasterReduction(original: KernelConfig, isMean: boolean): KernelConfig {
  const reduce = (call: ReductionCall) =>
    reducesLeadingAxes(call) ? reduceLeadingAxes(call, isMean) : original.kernelFunc(call as never);
  return { ...original, kernelFunc: reduce as unknown as KernelFunc };
}

function reducesLeadingAxes({ inputs: { x }, attrs: { axis } }: ReductionCall): boolean {
  const axes = util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const isLeading = axes.every((value, i) => value === i) && axes.length < x.shape.length;
  return isLeading && x.dtype === 'float32';
}

function reduceLeadingAxes({ inputs: { x }, attrs, backend }: ReductionCall, isMean: boolean): TensorInfo {
  const axes = util.parseAxisParam(attrs.axis, x.shape);
  const [outShape, reduceShape] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
  const output = allocateOutput(isMean ? Mean : Sum, backend, shape, 'float32');
  const [rows, columns] = [util.sizeFromShape(reduceShape), util.sizeFromShape(outShape)];
  const kernels = kernelsOn(memoryOf(backend));
  kernels.f32ColumnSums(offsetOf(backend, x), offsetOf(backend, output), rows, columns, isMean ? rows : 1);
  return output;
}
