// The definition of a convolution and its gradients, as plain loops in float64. Nothing here is clever, on purpose.
// Letters: N batch, H W input, OH OW output, C channels of x, F filters (of a depthwise convolution: channels of y per
// channel of x), KH KW filter.

export type Padding =
  | 'same'
  | 'valid'
  | number
  | [[number, number], [number, number], [number, number], [number, number]];

/** A convolution as a test writes it down; everything but the first three has a default. */
export interface ConvolutionOptions {
  xShape: [N: number, H: number, W: number, C: number];
  filter: [KH: number, KW: number];
  F: number;
  strides?: [number, number];
  dilations?: [number, number];
  pad?: Padding;
  isDepthwise?: boolean;
}

export interface Convolution extends Required<ConvolutionOptions> {
  OH: number;
  OW: number;
  padTop: number;
  padLeft: number;
  filterShape: [number, number, number, number];
  yShape: [number, number, number, number];
}

export function convolution(options: ConvolutionOptions): Convolution {
  const { xShape, filter, F, strides = [1, 1], dilations = [1, 1], pad = 'same', isDepthwise = false } = options;
  const [N, H, W, C] = xShape;
  const vertical = extent(H, filter[0], strides[0], dilations[0], axisPadding(pad, 1));
  const horizontal = extent(W, filter[1], strides[1], dilations[1], axisPadding(pad, 2));
  return {
    ...{ xShape, filter, F, strides, dilations, pad, isDepthwise },
    OH: vertical.size,
    OW: horizontal.size,
    padTop: vertical.before,
    padLeft: horizontal.before,
    filterShape: [filter[0], filter[1], C, F],
    yShape: [N, vertical.size, horizontal.size, isDepthwise ? C * F : F],
  };
}

function axisPadding(pad: Padding, axis: 1 | 2): 'same' | [number, number] {
  if (pad === 'same') return 'same';
  if (pad === 'valid') return [0, 0];
  return typeof pad === 'number' ? [pad, pad] : pad[axis];
}

function extent(size: number, filter: number, stride: number, dilation: number, pad: 'same' | [number, number]) {
  const reach = (filter - 1) * dilation + 1;
  if (pad !== 'same') return { size: Math.floor((size + pad[0] + pad[1] - reach) / stride) + 1, before: pad[0] };
  const outputs = Math.ceil(size / stride);
  return { size: outputs, before: Math.floor(Math.max(0, (outputs - 1) * stride + reach - size) / 2) };
}

/** Visits every product of the convolution once: y[yAt] += x[xAt] * w[wAt]. */
function forEachProduct(c: Convolution, visit: (xAt: number, wAt: number, yAt: number) => void): void {
  const [N, H, W, C] = c.xShape;
  const [KH, KW] = c.filter;
  const channels = c.yShape[3];
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < c.OH; oh++)
      for (let ow = 0; ow < c.OW; ow++)
        for (let kh = 0; kh < KH; kh++)
          for (let kw = 0; kw < KW; kw++) {
            const ih = oh * c.strides[0] + kh * c.dilations[0] - c.padTop;
            const iw = ow * c.strides[1] + kw * c.dilations[1] - c.padLeft;
            if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
            for (let i = 0; i < C; i++)
              for (let f = 0; f < c.F; f++) {
                const xAt = ((n * H + ih) * W + iw) * C + i;
                const wAt = ((kh * KW + kw) * C + i) * c.F + f;
                const yAt = ((n * c.OH + oh) * c.OW + ow) * channels + (c.isDepthwise ? i * c.F + f : f);
                visit(xAt, wAt, yAt);
              }
          }
}

type Values = ArrayLike<number>;

export function forward(c: Convolution, x: Values, w: Values): Float64Array {
  const y = new Float64Array(sizeOf(c.yShape));
  forEachProduct(c, (xAt, wAt, yAt) => {
    y[yAt]! += x[xAt]! * w[wAt]!;
  });
  return y;
}

export function filterGradient(c: Convolution, x: Values, dy: Values): Float64Array {
  const dw = new Float64Array(sizeOf(c.filterShape));
  forEachProduct(c, (xAt, wAt, yAt) => {
    dw[wAt]! += x[xAt]! * dy[yAt]!;
  });
  return dw;
}

export function inputGradient(c: Convolution, dy: Values, w: Values): Float64Array {
  const dx = new Float64Array(sizeOf(c.xShape));
  forEachProduct(c, (xAt, wAt, yAt) => {
    dx[xAt]! += dy[yAt]! * w[wAt]!;
  });
  return dx;
}

/** The gradient of sum(dy * forward(values)) by central differences. */
export function finiteDifferences(values: Float64Array, dy: Values, run: (values: Float64Array) => Float64Array) {
  const step = 1e-3;
  const loss = () => run(values).reduce((sum, y, at) => sum + y * dy[at]!, 0);
  return values.map((value, at) => {
    values[at] = value + step;
    const above = loss();
    values[at] = value - step;
    const below = loss();
    values[at] = value;
    return (above - below) / (2 * step);
  });
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
