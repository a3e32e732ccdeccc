import type { EngineKernels } from '../../kernels/engineKernels';
import { shareOf } from '../blocking';
import type { Int8Tile } from '../fasterInt8Tile';
import { pixelsOf } from '../memory';
import { windowArguments } from '../windowArguments';
import type { DepthwisePass, Pass, ProductPass } from './passes';
import type { InferencePlan } from './plan';
import { BYTES_PER_VALUE } from './tensors';
import type { OperatorPlan } from './weightBlock';

/** What one thread's share of a pass is made with. */
export interface InferenceContext {
  readonly kernels: EngineKernels;
  readonly plan: InferencePlan;
  readonly thread: number;
  readonly threads: number;
  /** This thread's own scratch memory. */
  readonly scratch: number;
  /** The fastest tiles of matrix products here, once they are known; the bits are the same with all of them. */
  tileRows: 4 | 6;
  int8Tile: Int8Tile;
}

/** Where there are fewer rows a thread, the threads share the columns instead: a tile has up to 6. */
const MIN_ROWS = 12;
/** Blocks are whole tiles of 4 and of 6 rows. */
const ROW_MULTIPLE = 12;

/** Runs this thread's share of a pass. */
export function runPass(context: InferenceContext, pass: Pass, images: number): void {
  const { kernels, plan } = context;
  const { input, output } = pass;
  if (pass.kind === 'product') runProduct(context, pass, images);
  else if (pass.kind === 'depthwise') {
    const [begin, end] = ownShare(context, images * pixelsOf(output.size));
    const out = output.offset + begin * BYTES_PER_VALUE[output.type] * output.channels;
    if (begin < end) runDepthwise(context, pass, out, context.scratch, begin, end);
  } else if (pass.kind === 'dequantize') {
    const [begin, end] = ownShare(context, (images * pixelsOf(input.size) * input.channels) / 16);
    kernels.f32FromU8(input.offset, output.offset, input.scale, 16 * begin, 16 * end);
  } else {
    const pixels = pixelsOf(input.size);
    const [begin, end] = ownShare(context, images);
    const { channels } = input;
    if (input.type === 'uint8') {
      kernels.i8GlobalAverage(input.offset, output.offset, input.scale / pixels, pixels, channels, begin, end);
    } else {
      const reading = [
        input.offset,
        plan.ones,
        plan.zeros,
        Number.NEGATIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ] as const;
      kernels.f32GlobalAverageForward(...reading, output.offset, pixels, channels, begin, end);
    }
  }
}

/** This thread's part of so many units. */
export function ownShare({ thread, threads }: InferenceContext, units: number): [begin: number, end: number] {
  return shareOf(units, thread, threads);
}

function runProduct(context: InferenceContext, pass: ProductPass, images: number): void {
  const rows = images * pixelsOf(pass.output.size);
  const panels = pass.output.channels / 8;
  const byRows = rows >= MIN_ROWS * context.threads;
  const [begin, end] = byRows ? ownShare(context, rows) : [0, rows];
  const [panelBegin, panelEnd] = byRows ? [0, panels] : ownShare(context, panels);
  if (begin === end || panelBegin === panelEnd) return;
  const blocks = Math.ceil((end - begin) / pass.blockRows);
  const step = Math.ceil((end - begin) / blocks / ROW_MULTIPLE) * ROW_MULTIPLE;
  for (let first = begin; first < end; first += step) {
    const count = Math.min(step, end - first);
    const from = makeRows(context, pass, first, first + count);
    multiply(context, pass, from, first, count, panelBegin, panelEnd);
  }
}

/** Makes the rows `[begin,end)` of a product; gives where they lie. */
function makeRows(context: InferenceContext, pass: ProductPass, begin: number, end: number): number {
  const { rows, rowBytes, input, output } = pass;
  const staging = context.scratch;
  if (rows === 'pixels') return input.offset + begin * rowBytes;
  if ('depthwise' in rows) {
    runDepthwise(context, rows.depthwise, staging, staging + pass.stagingBytes, begin, end);
    return staging;
  }
  const { height, width } = input.size;
  const sizes = [height, width, output.size.height, output.size.width] as const;
  const pixelBytes = BYTES_PER_VALUE[input.type] * input.channels;
  context.kernels.copyPatches(
    input.offset,
    staging,
    begin,
    end,
    pixelBytes,
    rowBytes,
    ...sizes,
    ...windowArguments(rows.patches),
  );
  return staging;
}

function multiply(
  context: InferenceContext,
  pass: ProductPass,
  rows: number,
  first: number,
  count: number,
  ...panels: [begin: number, end: number]
): void {
  const { kernels, int8Tile } = context;
  const { input, output, depth, operator } = pass;
  const { kernel, bias, multipliers } = addresses(context, operator);
  const scratch = context.scratch + pass.stagingBytes;
  const F = output.channels;
  if (input.type === 'float32') {
    const out = output.offset + first * 4 * F;
    kernels.f32MultiplyRows(
      rows,
      kernel,
      bias,
      ...operator.clamp,
      out,
      scratch,
      count,
      depth,
      F,
      ...panels,
      context.tileRows,
    );
    return;
  }
  const out = output.offset + first * F;
  const args = [rows, kernel, bias, multipliers, out, scratch, count, depth, F, ...panels] as const;
  if (input.type === 'int16') kernels.i16MultiplyRows(...args);
  else kernels.i8MultiplyRows(...args, int8Tile.tileRows, int8Tile.variant);
}

/** Output pixels `[begin,end)` to `out`. */
function runDepthwise(
  context: InferenceContext,
  pass: DepthwisePass,
  out: number,
  scratch: number,
  begin: number,
  end: number,
): void {
  const { kernels } = context;
  const { input, output, operator, multiplier, window } = pass;
  const { kernel, bias, multipliers } = addresses(context, operator);
  const geometry = [
    input.size.height,
    input.size.width,
    input.channels,
    output.size.height,
    output.size.width,
    output.channels,
    multiplier,
    ...windowArguments(window),
  ] as const;
  if (input.type === 'float32') {
    kernels.f32DepthwisePixels(input.offset, kernel, bias, ...operator.clamp, out, begin, end, ...geometry);
  } else {
    kernels.i8DepthwiseRows(input.offset, kernel, bias, multipliers, out, scratch, begin, end, ...geometry);
  }
}

function addresses({ plan }: InferenceContext, { kernel, bias, multipliers }: OperatorPlan) {
  return { kernel: plan.weights + kernel, bias: plan.weights + bias, multipliers: plan.weights + multipliers };
}
