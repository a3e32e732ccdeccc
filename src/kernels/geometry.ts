import { backend_util, type Conv2DBackpropFilterAttrs } from '@tensorflow/tfjs-core';
import { check } from '../errors';

/** The sizes of a convolution `x [N,H,W,C]`, filter `[KH,KW,C,F]`, `y [N,OH,OW,F]`, in the order of the kernels. */
export type Conv2dGeometry = [
  N: number,
  H: number,
  W: number,
  C: number,
  OH: number,
  OW: number,
  F: number,
  KH: number,
  KW: number,
  strideH: number,
  strideW: number,
  padTop: number,
  padLeft: number,
];

/** Of a depthwise convolution, filter `[KH,KW,C,multiplier]`, `y [N,OH,OW,C * multiplier]`; `multiplier` stands for F. */
export type DepthwiseGeometry = [...Conv2dGeometry, dilationH: number, dilationW: number];

/** The attributes that tfjs gives to all of its convolution kernels. */
export interface ConvolutionAttrs extends Pick<Conv2DBackpropFilterAttrs, 'strides' | 'pad'> {
  dilations?: [number, number] | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  dataFormat?: 'NHWC' | 'NCHW';
}

/** Options for {@link convolutionGeometry}. */
export interface ConvolutionGeometryOptions {
  /** The tfjs kernel's name, for errors. */
  where: string;
  xShape: number[];
  filterShape: number[];
  dyShape: number[];
  attrs: ConvolutionAttrs;
  isDepthwise: boolean;
}

type Shape4D = [number, number, number, number];

/**
 * The sizes that a gradient kernel works on.
 *
 * @throws {MobilenetError} `invalid-argument` where the format is not NHWC, or the shapes do not belong together
 */
export function convolutionGeometry(options: ConvolutionGeometryOptions): DepthwiseGeometry {
  const { where, xShape, filterShape, dyShape, attrs, isDepthwise } = options;
  check(attrs.dataFormat !== 'NCHW', {
    where,
    expected: "dataFormat 'NHWC'",
    received: attrs.dataFormat,
    remedy: 'The wasm backend knows no other; transpose the pictures.',
  });
  const info = backend_util.computeConv2DInfo(
    xShape as Shape4D,
    filterShape as Shape4D,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    isDepthwise,
  );
  // OH and OW are those of dy: tfjs's gradient of conv2d drops dimRoundingMode, so that `info` may have them smaller.
  const [N, OH, OW, channels] = dyShape as Shape4D;
  const [KH, KW, C, F] = filterShape as Shape4D;
  check(N === info.batchSize && C === info.inChannels && channels === info.outChannels, {
    where,
    expected: `shapes x [N,H,W,C], filter [KH,KW,C,F], dy [N,OH,OW,${isDepthwise ? 'C * F' : 'F'}]`,
    received: `x [${xShape}], filter [${filterShape}], dy [${dyShape}]`,
  });
  const { inHeight, inWidth, strideHeight, strideWidth, padInfo, dilationHeight, dilationWidth } = info;
  const sizes: Conv2dGeometry = [
    N,
    inHeight,
    inWidth,
    C,
    OH,
    OW,
    F,
    KH,
    KW,
    strideHeight,
    strideWidth,
    padInfo.top,
    padInfo.left,
  ];
  return [...sizes, dilationHeight, dilationWidth];
}
