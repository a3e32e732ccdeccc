import type { FeatureSize, Stage, StageGraph, WeightRef } from '../graph/stage';
import type { WeightRole } from './optimizer';
import { weightRoles } from './weightRoles';

/** Channels as the kernels want them: whole tiles of 8. */
export const padChannels = (channels: number) => Math.ceil(channels / 8) * 8;

/**
 * Where the engine keeps a weight. Every weight is a matrix `[rows, columns]`, row-major in the model; padding holds 0.
 *
 * - `panels` (a convolution's kernel, rows = KH * KW * C): `[columns / 8][paddedRows][8]`, as the products read it
 * - `rows` (a depthwise kernel, rows = KH * KW, columns = C * M; and every vector): `[rows][paddedColumns]`
 */
export interface WeightLayout {
  readonly kind: 'panels' | 'rows';
  /** In floats, from the start of all weights; gradients and optimizer states have the same. */
  readonly offset: number;
  readonly floats: number;
  readonly trainable: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly paddedColumns: number;
  /** Rows of a tap (C), and what they are padded to; a matrix without taps is one. */
  readonly tapRows: number;
  readonly paddedTapRows: number;
}

/** All weights in one block: first those that decay, then the others that learn, then the rest. */
export interface WeightsLayout {
  /** In the order of `model.weights`; undefined for one that no stage uses. */
  readonly layouts: readonly (WeightLayout | undefined)[];
  /** What weight decay shrinks. */
  readonly decayingFloats: number;
  readonly trainableFloats: number;
  readonly floats: number;
}

type Shape = Omit<WeightLayout, 'offset'>;

/** C of every stage's input, and at the end Q of the last one's output, padded. */
export function paddedChannels({ input, stages }: StageGraph): number[] {
  // A picture's three channels go into a convolution as one vector of 4.
  const first = stages[0]?.kind === 'conv' ? Math.ceil(input.channels / 4) * 4 : padChannels(input.channels);
  return [first, ...stages.map(({ output }) => padChannels(output.channels))];
}

/** Gives every weight of the graph its place; `decaying` says which of those that learn decay. */
export function layOutWeights(graph: StageGraph, decaying: readonly WeightRole[]): WeightsLayout {
  const channels = paddedChannels(graph);
  const roles = weightRoles(graph);
  const shapes = new Map<number, Shape>();
  graph.stages.forEach((stage, i) => {
    const vector = (ref: WeightRef | undefined) => ref && shapes.set(ref.index, vectorShape(ref, stage.output));
    if ('kernel' in stage && stage.kernel)
      shapes.set(stage.kernel.index, kernelShape(stage, stage.kernel, channels[i]!));
    vector(stage.bias);
    vector(stage.batchNorm?.gamma);
    vector(stage.batchNorm?.beta);
    // Moved by averaging, not by the optimizer.
    vector(asFrozen(stage.batchNorm?.movingMean));
    vector(asFrozen(stage.batchNorm?.movingVariance));
  });
  const decays = (index: number) => decaying.includes(roles[index]!);
  const rank = (index: number, { trainable }: Shape) => (trainable ? (decays(index) ? 0 : 1) : 2);
  const layouts: (WeightLayout | undefined)[] = graph.weights.map(() => undefined);
  const ends = [0, 0, 0];
  let offset = 0;
  for (const place of [0, 1, 2]) {
    for (const [index, shape] of shapes) {
      if (rank(index, shape) !== place) continue;
      layouts[index] = { ...shape, offset };
      offset += shape.floats;
    }
    ends[place] = offset;
  }
  return { layouts, decayingFloats: ends[0]!, trainableFloats: ends[1]!, floats: ends[2]! };
}

const asFrozen = (ref: WeightRef | undefined) => ref && { ...ref, trainable: false };

function vectorShape({ trainable }: WeightRef, { channels }: FeatureSize): Shape {
  const paddedColumns = padChannels(channels);
  const rows = { rows: 1, tapRows: 1, paddedTapRows: 1 };
  return { kind: 'rows', floats: paddedColumns, trainable, columns: channels, paddedColumns, ...rows };
}

function kernelShape(
  stage: Stage & { window: { kernelHeight: number; kernelWidth: number } },
  { trainable }: WeightRef,
  C: number,
): Shape {
  const taps = stage.window.kernelHeight * stage.window.kernelWidth;
  const columns = stage.output.channels;
  const paddedColumns = padChannels(columns);
  if (stage.kind === 'depthwise') {
    const rows = { rows: taps, tapRows: 1, paddedTapRows: 1 };
    return { kind: 'rows', floats: taps * paddedColumns, trainable, columns, paddedColumns, ...rows };
  }
  const { channels } = stage.input;
  const rows = { rows: taps * channels, tapRows: channels, paddedTapRows: C };
  return { kind: 'panels', floats: taps * C * paddedColumns, trainable, columns, paddedColumns, ...rows };
}

/** Copies one weight from the model's order into the engine's; `to` is the block of all weights, filled with 0. */
export function packWeight(layout: WeightLayout, from: ArrayLike<number>, to: Float32Array): void {
  forEachRow(layout, (source, target, step) => {
    for (let column = 0; column < layout.columns; column++) {
      to[target + (column >> 3) * step + (column & 7)] = from[source + column]!;
    }
  });
}

/** The way back of {@link packWeight}. */
export function unpackWeight(layout: WeightLayout, from: ArrayLike<number>): Float32Array {
  const to = new Float32Array(layout.rows * layout.columns);
  forEachRow(layout, (source, target, step) => {
    for (let column = 0; column < layout.columns; column++) {
      to[source + column] = from[target + (column >> 3) * step + (column & 7)]!;
    }
  });
  return to;
}

/** Visits rows with their place in the model's order, in the engine's, and the distance there of 8 columns to the next 8. */
function forEachRow(layout: WeightLayout, visit: (source: number, target: number, step: number) => void): void {
  const { kind, offset, rows, columns, paddedColumns, tapRows, paddedTapRows } = layout;
  const paddedRows = (rows / tapRows) * paddedTapRows;
  for (let row = 0; row < rows; row++) {
    const paddedRow = Math.floor(row / tapRows) * paddedTapRows + (row % tapRows);
    if (kind === 'panels') visit(row * columns, offset + paddedRow * 8, paddedRows * 8);
    else visit(row * columns, offset + paddedRow * paddedColumns, 8);
  }
}
