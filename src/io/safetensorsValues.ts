import { decodeFloat16 } from './float16';

/** Values of a safetensors file: what they are stored as, and what they are read as. */
export type SafetensorsValues =
  | { dtype: 'F32' | 'F16' | 'BF16'; data: Float32Array }
  | { dtype: 'I32'; data: Int32Array }
  | { dtype: 'I64'; data: BigInt64Array };

type Dtype = SafetensorsValues['dtype'];

const BYTES_PER_VALUE = new Map<unknown, number>([
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['I64', 8],
] satisfies [Dtype, number][]);

/** Undefined where the dtype is none that {@link decodeValues} reads. */
export function bytesPerValue(dtype: unknown): number | undefined {
  return BYTES_PER_VALUE.get(dtype);
}

/** Values out of a buffer that holds nothing else; float16 and bfloat16 are float32 exactly. */
export function decodeValues(dtype: Dtype, buffer: ArrayBuffer): SafetensorsValues {
  switch (dtype) {
    case 'F32':
      return { dtype, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype, data: decodeFloat16(new Uint16Array(buffer)) };
    case 'BF16':
      return { dtype, data: new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer) };
    case 'I32':
      return { dtype, data: new Int32Array(buffer) };
    case 'I64':
      return { dtype, data: new BigInt64Array(buffer) };
  }
}
