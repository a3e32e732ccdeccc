import { isObject } from '../io/checkArtifacts';
import { isOnnx } from './isOnnx';
import type { WeightFormat } from './networkWeights';

const HDF5_SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const ZIP_SIGNATURE = [0x50, 0x4b, 0x03, 0x04];
const TFLITE_IDENTIFIER = [0x54, 0x46, 0x4c, 0x33]; // 'TFL3'
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The format of a file of weights, by its content and not its name; undefined where it is none of those known. */
export function detectFormat(bytes: Uint8Array<ArrayBuffer>): WeightFormat | undefined {
  if (isHdf5(bytes)) return 'keras-h5';
  if (holds(bytes, 0, ZIP_SIGNATURE)) return 'keras';
  if (holds(bytes, 4, TFLITE_IDENTIFIER)) return 'tflite';
  if (isSafetensors(bytes)) return 'safetensors';
  return detectJson(bytes) ?? (isOnnx(bytes) ? 'onnx' : undefined);
}

function holds(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  return expected.every((byte, i) => bytes[at + i] === byte);
}

/** An HDF5 file may have a block of the user's before it, of 512 bytes or twice, four times, ... as many. */
function isHdf5(bytes: Uint8Array): boolean {
  if (holds(bytes, 0, HDF5_SIGNATURE)) return true;
  for (let at = 512; at < bytes.length; at *= 2) if (holds(bytes, at, HDF5_SIGNATURE)) return true;
  return false;
}

/** The length of a header, little-endian in 8 bytes, and its first brace. */
function isSafetensors({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): boolean {
  if (length < 10) return false;
  const view = new DataView(buffer, byteOffset, length);
  return view.getBigUint64(0, true) <= BigInt(length - 8) && view.getUint8(8) === 0x7b;
}

function detectJson(bytes: Uint8Array): 'tfjs-layers' | 'tfjs-graph' | undefined {
  const start = holds(bytes, 0, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const first = bytes.subarray(start, start + 100).find((byte) => byte > 0x20);
  if (first !== 0x7b) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isObject(json)) return undefined;
    const isGraph = json.format === 'graph-model' || (isObject(json.modelTopology) && 'node' in json.modelTopology);
    return isGraph ? 'tfjs-graph' : 'tfjs-layers';
  } catch {
    // JSON that is cut off is JSON still; its reader says where.
    return 'tfjs-layers';
  }
}
