import { decodeFloat16 } from '../../io/float16';
import { refuse } from '../../io/refuse';
import { sizeOf } from './permute';
import { ELEMENT, type OnnxTensor } from './schema';

/** A tensor's values, row-major. */
export interface Decoded {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** How the values of a data type lie in the file. */
interface Element {
  /** Of one value. */
  readonly bytes: number;
  /** Out of little-endian bytes. */
  fromRaw(buffer: ArrayBuffer): ArrayLike<number>;
  /** Out of the numbers that a file has in place of bytes. */
  fromNumbers(numbers: readonly number[]): ArrayLike<number>;
}

const asTheyAre = (numbers: readonly number[]) => numbers;

/** Floats of 16 bits, which a file without raw bytes has as integers. */
function halfFloats(decode: (bits: Uint16Array) => Float32Array): Element {
  const fromRaw = (buffer: ArrayBuffer) => decode(new Uint16Array(buffer));
  return { bytes: 2, fromRaw, fromNumbers: (numbers) => decode(Uint16Array.from(numbers)) };
}

/** The upper half of float32. */
function decodeBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

const ELEMENTS = new Map<number, Element>([
  [ELEMENT.float32, { bytes: 4, fromRaw: (buffer) => new Float32Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.float64, { bytes: 8, fromRaw: (buffer) => new Float64Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.float16, halfFloats(decodeFloat16)],
  [ELEMENT.bfloat16, halfFloats(decodeBfloat16)],
  [ELEMENT.int8, { bytes: 1, fromRaw: (buffer) => new Int8Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.uint8, { bytes: 1, fromRaw: (buffer) => new Uint8Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.int16, { bytes: 2, fromRaw: (buffer) => new Int16Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.uint16, { bytes: 2, fromRaw: (buffer) => new Uint16Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.int32, { bytes: 4, fromRaw: (buffer) => new Int32Array(buffer), fromNumbers: asTheyAre }],
  [ELEMENT.int64, { bytes: 8, fromRaw: (b) => Array.from(new BigInt64Array(b), Number), fromNumbers: asTheyAre }],
]);

/**
 * The values of a tensor, all of which must be there.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function decodeTensor({ name, dims, type, raw, numbers, isExternal }: OnnxTensor, where: string): Decoded {
  if (isExternal) {
    const remedy =
      'Save the model as one file: onnx.save_model(model, path), torch.onnx.export(..., external_data=False).';
    refuse(where, `the values of ${name} inside of the file`, 'values in another file', remedy);
  }
  const element = ELEMENTS.get(type);
  if (!element) refuse(where, `${name} to be of floats, or of integers of 8 to 64 bits`, `the data type ${type}`);
  const isShape = dims.every((size) => Number.isSafeInteger(size) && size >= 0);
  const count = raw ? raw.length / element.bytes : (numbers?.length ?? 0);
  if (!isShape || sizeOf(dims) !== count) refuse(where, `[${dims}] values of ${name}`, count, 'The file is damaged.');
  const data = raw ? element.fromRaw(Uint8Array.from(raw).buffer) : element.fromNumbers(numbers ?? []);
  return { shape: dims, data };
}
