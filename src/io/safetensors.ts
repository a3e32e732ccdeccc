import { check } from '../errors';
import { isObject } from './checkArtifacts';
import { refuse } from './refuse';
import { bytesPerValue, decodeValues, type SafetensorsValues } from './safetensorsValues';

/** As the Rust library has it: a header is text, and nobody's is that long. */
const MAX_HEADER_BYTES = 100_000_000;

/** A tensor to be written. */
export interface Float32Values {
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
}

/** A tensor of a file: what it is stored as, and its values, row-major. */
export type SafetensorsTensor = SafetensorsValues & { shape: number[] };

/** What a file holds. */
export interface SafetensorsContent {
  /** In the order in which they lie in the file. */
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/**
 * The bytes of a safetensors file of float32 tensors, in the order of the map.
 *
 * The format (https://github.com/huggingface/safetensors): the length of the header as a little-endian u64, the header as
 * JSON, padded with spaces to 8 bytes, and the values one tensor behind the other.
 *
 * @throws {MobilenetError} `invalid-argument`
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Float32Values>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const entries: [string, object][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    checkTensor(name, shape, data);
    const begin = end;
    end += data.byteLength;
    entries.push([name, { dtype: 'F32', shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes).set(json, 8);
  let offset = 8 + headerBytes;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function checkTensor(name: string, shape: readonly number[], { length }: Float32Array): void {
  const where = 'writeSafetensors';
  check(!RESERVED.includes(name), { where, expected: 'a name that means nothing else', received: name });
  check(countValues(shape) === length, {
    where,
    expected: `the shape of ${name} to have the size of its data`,
    received: `[${shape}] and ${length} values`,
  });
}

/** The first is part of the format; the second could swap a prototype in careless code. */
const RESERVED = ['__metadata__', '__proto__'];

/** Undefined where the shape is none, or has more values than can be counted. */
function countValues(shape: unknown): number | undefined {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  const count = shape.reduce((product, size) => product * size, 1);
  return Number.isSafeInteger(count) ? count : undefined;
}

/**
 * Reads a safetensors file; float16 and bfloat16 become float32.
 *
 * Nothing is taken on trust: every byte behind the header belongs to exactly one tensor, or the file is refused.
 *
 * @param where The file's path or address, for messages.
 * @throws {MobilenetError} `invalid-data`
 */
export function readSafetensors(bytes: Uint8Array<ArrayBuffer>, where: string): SafetensorsContent {
  const headerBytes = readHeaderLength(bytes, where);
  const { __metadata__: metadata = {}, ...header } = parseHeader(bytes.subarray(8, 8 + headerBytes), where);
  checkMetadata(metadata, where);
  const entries = Object.entries(header)
    .map(([name, entry]) => checkEntry(name, entry, where))
    // Tensors without values end where the next one begins, whatever their place in the header.
    .sort((a, b) => a.begin - b.begin || a.end - b.end);

  const values = bytes.subarray(8 + headerBytes);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) refuse(where, `the values of ${entry.name} to begin at ${end}`, entry.begin, DAMAGED);
    end = entry.end;
  }
  if (end !== values.length) refuse(where, `${end} bytes of values`, values.length, DAMAGED);
  return {
    metadata,
    tensors: new Map(
      entries.map(({ name, dtype, shape, begin, end }) => [
        name,
        { ...decodeValues(dtype, values.slice(begin, end).buffer), shape },
      ]),
    ),
  };
}

const DAMAGED = 'The file is damaged, or not the whole of it came: get it anew.';

function readHeaderLength({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>, where: string): number {
  if (length < 8) refuse(where, 'a safetensors file', `${length} bytes`, DAMAGED);
  const headerBytes = new DataView(buffer, byteOffset).getBigUint64(0, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    refuse(where, `a safetensors header of at most ${MAX_HEADER_BYTES} bytes`, headerBytes, 'Is it another format?');
  }
  if (headerBytes > length - 8) refuse(where, `a header of ${headerBytes} bytes`, `${length - 8}`, DAMAGED);
  return Number(headerBytes);
}

function parseHeader(bytes: Uint8Array, where: string): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    if (!isObject(header)) throw new Error('JSON that is no object');
    if (countKeys(header) !== countKeysIn(text)) throw new Error('a name twice');
    if (Object.hasOwn(header, '__proto__')) throw new Error('a tensor named __proto__');
    return header;
  } catch (error) {
    refuse(where, 'a safetensors header', (error as Error).message, DAMAGED, error);
  }
}

/** Of names that are there twice JSON.parse keeps the last, without a word. */
function countKeysIn(json: string): number {
  let count = 0;
  for (const [, colon] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)/g)) if (colon) count++;
  return count;
}

/** A header holds entries, entries hold lists, and lists hold numbers. */
function countKeys(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > 2) throw new Error('JSON that goes deeper');
  const children = Object.values(value);
  const own = Array.isArray(value) ? 0 : children.length;
  return children.reduce((sum: number, child) => sum + countKeys(child, depth + 1), own);
}

function checkMetadata(metadata: unknown, where: string): asserts metadata is Record<string, string> {
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    refuse(where, '__metadata__ of texts', metadata);
  }
  if (Object.hasOwn(metadata, '__proto__')) refuse(where, '__metadata__ without the key __proto__', 'one with it');
}

interface CheckedEntry {
  name: string;
  dtype: SafetensorsValues['dtype'];
  shape: number[];
  /** In bytes behind the header. */
  begin: number;
  end: number;
}

function checkEntry(name: string, entry: unknown, where: string): CheckedEntry {
  if (!isObject(entry)) refuse(where, `dtype, shape and data_offsets of ${name}`, entry);
  const { dtype, shape, data_offsets: offsets } = entry;
  const size = bytesPerValue(dtype);
  if (size === undefined) {
    refuse(where, `the dtype of ${name} to be F32, F16, BF16, I32 or I64`, dtype, 'Convert the file to float32.');
  }
  const count = countValues(shape);
  if (count === undefined) refuse(where, `the shape of ${name} to be a list of sizes`, shape, DAMAGED);
  const isRange = Array.isArray(offsets) && offsets.length === 2 && offsets.every(Number.isSafeInteger);
  if (!isRange || offsets[1] - offsets[0] !== count * size) {
    refuse(where, `data_offsets of ${name} that hold its ${count * size} bytes`, offsets, DAMAGED);
  }
  const [begin, end] = offsets;
  return { name, dtype: dtype as CheckedEntry['dtype'], shape: shape as number[], begin, end };
}
