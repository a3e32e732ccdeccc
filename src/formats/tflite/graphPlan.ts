import { encodeFloat16, MAX_FLOAT16 } from '../../io/float16';
import { Op, OptionsType, TensorType } from './schema';

/** A value of the network. */
export interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  /** One of TensorType. */
  readonly type: number;
  /** Undefined where the values are calculated. */
  readonly data: Uint8Array | undefined;
}

/** A field of an operator's options. */
export type OptionField = readonly [field: number, type: 'int8' | 'int32' | 'float32', value: number];

export interface OptionsPlan {
  /** One of OptionsType. */
  readonly type: number;
  readonly fields: readonly OptionField[];
}

export interface OperatorPlan {
  readonly code: number;
  readonly version: number;
  /** Of tensors, as are the outputs. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: OptionsPlan | undefined;
}

/** The version of DEQUANTIZE that takes float16. */
const DEQUANTIZE_FLOAT16 = 3;

/** The tensors and operators of a network, before they are put into bytes. */
export class GraphPlan {
  readonly tensors: TensorPlan[] = [];
  readonly operators: OperatorPlan[] = [];

  /** A tensor whose values are calculated. */
  value(name: string, shape: readonly number[]): number {
    return this.add({ name, shape, type: TensorType.float32, data: undefined });
  }

  integers(name: string, shape: readonly number[], values: readonly number[]): number {
    return this.add({ name, shape, type: TensorType.int32, data: bytesOf(Int32Array.from(values)) });
  }

  floats(name: string, shape: readonly number[], values: Float32Array): number {
    return this.add({ name, shape, type: TensorType.float32, data: bytesOf(values) });
  }

  /** Values as float16, which DEQUANTIZE makes float32 of; those that float16 cannot hold stay as they are. */
  halves(name: string, shape: readonly number[], values: Float32Array): number {
    if (!values.every((value) => Math.abs(value) <= MAX_FLOAT16)) return this.floats(name, shape, values);
    const data = bytesOf(encodeFloat16(values));
    const half = this.add({ name: `${name}/float16`, shape, type: TensorType.float16, data });
    const whole = this.value(name, shape);
    this.operators.push({
      code: Op.DEQUANTIZE,
      version: DEQUANTIZE_FLOAT16,
      inputs: [half],
      outputs: [whole],
      options: { type: OptionsType.dequantize, fields: [] },
    });
    return whole;
  }

  rename(tensor: number, name: string): void {
    this.tensors[tensor] = { ...this.tensors[tensor]!, name };
  }

  private add(tensor: TensorPlan): number {
    return this.tensors.push(tensor) - 1;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
