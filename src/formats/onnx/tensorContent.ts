import { encodeFloat16 } from '../../io/float16';
import { ELEMENT, type OnnxTensor } from './schema';

/** A tensor that has no name yet. */
export type TensorContent = Pick<OnnxTensor, 'dims' | 'type' | 'raw'>;

/** What floats are stored as. */
export type FloatElement = 'float32' | 'float16';

type Numbers = readonly number[] | Float32Array;
type Dims = readonly number[];

/** @param dims @default a vector */
export function floatTensor(element: FloatElement, values: Numbers, dims: Dims = [values.length]): TensorContent {
  const floats = Float32Array.from(values);
  return { dims, type: ELEMENT[element], raw: bytesOf(element === 'float16' ? encodeFloat16(floats) : floats) };
}

export function int8Tensor(values: Int8Array, dims: Dims = [values.length]): TensorContent {
  return { dims, type: ELEMENT.int8, raw: bytesOf(values) };
}

export function int32Tensor(values: Int32Array): TensorContent {
  return { dims: [values.length], type: ELEMENT.int32, raw: bytesOf(values) };
}

export function int64Tensor(values: readonly number[]): TensorContent {
  return { dims: [values.length], type: ELEMENT.int64, raw: bytesOf(BigInt64Array.from(values, BigInt)) };
}

export function uint8Scalar(value: number): TensorContent {
  return { dims: [], type: ELEMENT.uint8, raw: Uint8Array.of(value) };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
