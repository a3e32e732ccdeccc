import type { WeightSpec } from './checkArtifacts';
import { decodeFloat16 } from './float16';
import { channelCount, decodeInt8, isInt8 } from './int8Weight';
import { refuse } from './refuse';

/**
 * The values of a float32 weight from the bytes that a manifest says it is stored as, without any backend.
 *
 * @throws {MobilenetError} `invalid-data` where it is of another dtype
 */
export function decodeFloats(where: string, spec: WeightSpec, bytes: ArrayBuffer): Float32Array {
  const { name, shape, dtype, quantization } = spec;
  if (dtype !== 'float32') refuse(where, `weight ${name} to be float32`, dtype);
  if (quantization === undefined) return new Float32Array(bytes);
  if (isInt8(quantization)) return decodeInt8(where, name, bytes, channelCount(shape, quantization.channelAxes));
  const { dtype: stored, scale = 1, min = 0 } = quantization;
  if (stored === 'float16') return decodeFloat16(new Uint16Array(bytes));
  const steps = stored === 'uint8' ? new Uint8Array(bytes) : new Uint16Array(bytes);
  const values = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) values[i] = steps[i]! * scale + min;
  return values;
}
