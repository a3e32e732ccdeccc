import type { EngineKernels } from '../../../src/kernels/engineKernels';
import { inlinedWasm } from '../../../src/kernels/wasmModule';

/** The flavours that this runtime can run. */
export const flavours = (
  [
    ['simd', inlinedWasm('simd')],
    ['relaxed', inlinedWasm('relaxed-simd')],
  ] as const
).filter(([, bytes]) => WebAssembly.validate(bytes));

/** A memory to put a kernel's arguments into, and the kernels on it. */
export interface Arena {
  readonly kernels: EngineKernels;
  /** Copies values in, 64-byte aligned, behind them 64 bytes of slack that hold NaN. */
  floats(values: ArrayLike<number>): number;
  doubles(values: ArrayLike<number>): number;
  bytes(values: ArrayLike<number>): number;
  integers(values: ArrayLike<number>): number;
  readFloats(pointer: number, count: number): Float32Array;
  readDoubles(pointer: number, count: number): Float64Array;
  readIntegers(pointer: number, count: number): Int32Array;
}

/** An arena of `megabytes`, for one of {@link flavours}. */
export function createArena(bytes: BufferSource, megabytes = 16): Arena {
  const memory = new WebAssembly.Memory({ initial: megabytes * 16 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  let next = 64;
  const put = (array: Float32Array | Float64Array | Uint8Array | Int32Array) => {
    const pointer = next;
    new Uint8Array(memory.buffer).set(new Uint8Array(array.buffer), pointer);
    next = (pointer + array.byteLength + 63) & ~63;
    new Float32Array(memory.buffer, next, 16).fill(Number.NaN);
    next += 64;
    return pointer;
  };
  return {
    kernels: instance.exports as unknown as EngineKernels,
    floats: (values) => put(Float32Array.from(values)),
    doubles: (values) => put(Float64Array.from(values)),
    bytes: (values) => put(Uint8Array.from(values)),
    integers: (values) => put(Int32Array.from(values)),
    readFloats: (pointer, count) => new Float32Array(memory.buffer, pointer, count).slice(),
    readDoubles: (pointer, count) => new Float64Array(memory.buffer, pointer, count).slice(),
    readIntegers: (pointer, count) => new Int32Array(memory.buffer, pointer, count).slice(),
  };
}
