import { type Cursor, refuseHdf5 } from './cursor';

/** What a value is, as far as weights and their names need it. */
export type Datatype =
  | { readonly kind: 'float16' | 'bfloat16' | 'float32' | 'float64'; readonly size: number }
  /** `size` bytes, padded. */
  | { readonly kind: 'string'; readonly size: number }
  /** Of any length; its bytes lie in a global heap. */
  | { readonly kind: 'text'; readonly size: number }
  | { readonly kind: 'other'; readonly size: number };

/** Exponent and mantissa bits of floats with one sign bit. */
const FLOATS = new Map<string, 'float16' | 'bfloat16' | 'float32' | 'float64'>([
  ['2 5 10', 'float16'],
  ['2 8 7', 'bfloat16'],
  ['4 8 23', 'float32'],
  ['8 11 52', 'float64'],
]);

/** Reads a datatype message; big-endian numbers are `other`. */
export function readDatatype(message: Cursor): Datatype {
  const kind = message.u8() & 0x0f;
  const [flags = 0] = message.take(3);
  const size = message.u32();
  if (kind === 1) return { kind: floatKind(message, flags, size), size };
  if (kind === 3) return { kind: 'string', size };
  if (kind === 9 && (flags & 0x0f) === 1) return { kind: 'text', size };
  return { kind: 'other', size };
}

function floatKind(message: Cursor, flags: number, size: number): Datatype['kind'] {
  message.skip(5);
  const exponentBits = message.u8();
  message.skip(1);
  const mantissaBits = message.u8();
  const isBigEndian = (flags & 0x41) !== 0;
  return (!isBigEndian && FLOATS.get(`${size} ${exponentBits} ${mantissaBits}`)) || 'other';
}

/** Reads a dataspace message: the sizes of an array, none for a single value. */
export function readDataspace(message: Cursor): number[] {
  const version = message.u8();
  const rank = message.u8();
  message.skip(1);
  if (version === 1) message.skip(5);
  else if (version !== 2 || message.u8() > 1)
    refuseHdf5(message.where, 'a shape of version 1 or 2, not empty', version);
  return Array.from({ length: rank }, () => message.u64());
}

/** How many values a shape has; refuses more than `limit`. */
export function countValues(where: string, shape: readonly number[], limit: number): number {
  const count = shape.reduce((product, size) => product * size, 1);
  // Infinite sizes times none are not a number.
  if (!(count <= limit)) refuseHdf5(where, `an array of at most ${limit} values`, `[${shape}]`);
  return count;
}
