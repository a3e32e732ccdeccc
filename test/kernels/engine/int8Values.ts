import { roundHalfEven } from '../../../src/graph/roundHalfEven';
import type { Random } from '../../../src/random';
import type { Arena } from './arena';

/** Bytes up to 127, one in four of them 127. */
export function levels(count: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: count }, () => Math.min(127, random.integer(170)));
}

/** From -127 to 127, one in four of them one of the two. */
export function weights(count: number, random: Random): Int8Array {
  return Int8Array.from({ length: count }, () => Math.min(127, Math.max(-127, random.integer(340) - 170)));
}

/** Multipliers that spread the sums over 0 to 127 and beyond; powers of two among them, for what lies half-way. */
export function multipliersFor(sums: number, count: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const multiplier = (200 / sums) * (0.5 + random.uniform());
    return i % 3 === 0 ? 2 ** Math.round(Math.log2(multiplier)) : multiplier;
  });
}

/** The definition of what every sum ends with. */
export function requantize(sum: number, multiplier: number): number {
  return Math.min(Math.max(roundHalfEven(Math.fround(Math.fround(sum) * multiplier)), 0), 127);
}

export function bytesOf(values: Int8Array | Int16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export function readBytes(arena: Arena, pointer: number, count: number): Uint8Array {
  return new Uint8Array(arena.readIntegers(pointer, Math.ceil(count / 4)).buffer, 0, count);
}
