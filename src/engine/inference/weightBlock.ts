import type { InferenceStage } from '../../graph/inferenceGraph';
import type { QuantizedStage } from '../../graph/quantizeGraph';
import { packInt8Panels, packInt8Taps } from '../int8Panels';
import { packWeight, type WeightLayout } from '../weightLayout';
import type { TensorPlan } from './tensors';

/** Where an operator's numbers lie, in bytes from the start of all weights. */
export interface OperatorPlan {
  readonly kernel: number;
  readonly bias: number;
  /** What an int8 operator's sums are multiplied with; 0 for floats, which have none. */
  readonly multipliers: number;
  readonly clamp: readonly [low: number, high: number];
}

export type AnyStage = InferenceStage | QuantizedStage;
export type Conv = Extract<AnyStage, { kind: 'conv' | 'int8Conv' }>;
export type Depthwise = Extract<AnyStage, { kind: 'depthwise' | 'int8Depthwise' }>;
type Values = Float32Array | Int32Array | Int16Array | Int8Array;

/** All weights of a plan, packed as the kernels read them, in one block. */
export interface WeightBlock {
  /** The kernel in panels of 8 columns, each input pixel's channels padded and each row to `depth` values. */
  addConv(stage: Conv, input: TensorPlan, depth: number, F: number): OperatorPlan;
  /** The kernel as rows `[KH,KW,Q]`, or, of int8, in words of several taps. */
  addDepthwise(stage: Depthwise, Q: number): OperatorPlan;
  bytes(): Uint8Array<ArrayBuffer>;
}

const NO_CLAMP = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** @param int8Group values of a row that int8 products take at a time */
export function createWeightBlock(int8Group: number): WeightBlock {
  const parts: { offset: number; values: Values }[] = [];
  let size = 0;
  const append = (values: Values): number => {
    const offset = size;
    parts.push({ offset, values });
    size = Math.ceil((size + values.byteLength) / 64) * 64;
    return offset;
  };
  const finish = (stage: Conv | Depthwise, kernel: Values, channels: number): OperatorPlan => ({
    kernel: append(kernel),
    bias: append(padded(stage.bias, channels)),
    multipliers: 'multipliers' in stage ? append(padded(stage.multipliers, channels)) : 0,
    clamp: 'clamp' in stage ? stage.clamp : NO_CLAMP,
  });

  return {
    addConv(stage, input, depth, F) {
      const { window, kernel } = stage;
      const taps = window.kernelHeight * window.kernelWidth;
      const columns = stage.output.channels;
      if (stage.kind === 'int8Conv') {
        const group = input.type === 'int16' ? 2 : int8Group;
        const sizes = {
          taps,
          channels: stage.input.channels,
          paddedChannels: input.channels,
          depth,
          columns,
          paddedColumns: F,
        };
        return finish(stage, packInt8Panels(stage.kernel, sizes, group), F);
      }
      const layout: WeightLayout = {
        kind: 'panels',
        offset: 0,
        floats: depth * F,
        trainable: false,
        rows: taps * stage.input.channels,
        columns,
        paddedColumns: F,
        tapRows: stage.input.channels,
        paddedTapRows: input.channels,
      };
      const packed = new Float32Array(layout.floats);
      packWeight(layout, kernel, packed);
      return finish(stage, packed, F);
    },

    addDepthwise(stage, Q) {
      const channels = stage.output.channels;
      const taps = stage.window.kernelHeight * stage.window.kernelWidth;
      if (stage.kind === 'int8Depthwise') {
        const sizes = { ...stage.window, channels, paddedChannels: Q };
        return finish(stage, packInt8Taps(stage.kernel, sizes, int8Group), Q);
      }
      const kernel = new Float32Array(taps * Q);
      for (let tap = 0; tap < taps; tap++) {
        kernel.set(stage.kernel.subarray(tap * channels, (tap + 1) * channels), tap * Q);
      }
      return finish(stage, kernel, Q);
    },

    bytes() {
      const bytes = new Uint8Array(size);
      for (const { offset, values } of parts) {
        bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
      }
      return bytes;
    },
  };
}

function padded<T extends Float32Array | Int32Array>(values: T, channels: number): T {
  const longer = new (values.constructor as new (length: number) => T)(channels);
  longer.set(values);
  return longer;
}
