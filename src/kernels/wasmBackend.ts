import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { check, fail } from '../errors';
import { type Kernels, kernelsOn } from './wasmModule';

/** What the kernels use of tfjs's wasm backend; written down here, so that nothing imports its package. */
export interface WasmBackend {
  wasm: {
    /** The exports of the single-threaded build. */
    asm?: { memory?: WebAssembly.Memory };
    /** The shared memory of the threaded build. */
    wasmMemory?: WebAssembly.Memory;
    _malloc(bytes: number): number;
    _free(offset: number): void;
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: DataType, memoryOffset?: number, values?: Float32Array): TensorInfo;
  disposeData(dataId: object): boolean;
}

/** Options for {@link runGradient}. */
export interface GradientRun {
  /** The tfjs kernel's name, for errors. */
  where: string;
  backend: WasmBackend;
  inputs: readonly [TensorInfo, TensorInfo];
  outputShape: number[];
  scratchBytes(kernels: Kernels): number;
  /** Byte offsets: of the two inputs, the output and the scratch memory. */
  run(kernels: Kernels, first: number, second: number, output: number, scratch: number): void;
}

/**
 * Runs a kernel on tensors of tfjs's wasm backend, with scratch memory that is free again afterwards.
 *
 * @throws {MobilenetError} `invalid-argument` where an input is not float32; `out-of-memory`
 */
export function runGradient({ where, backend, inputs, outputShape, scratchBytes, run }: GradientRun): TensorInfo {
  for (const { dtype } of inputs) check(dtype === 'float32', { where, expected: 'float32 tensors', received: dtype });
  const isEmpty = [outputShape, ...inputs.map(({ shape }) => shape)].some((shape) => shape.includes(0));
  if (isEmpty) {
    const zeros = new Float32Array(util.sizeFromShape(outputShape));
    return backend.makeOutput(outputShape, 'float32', undefined, zeros);
  }

  const memory = memoryOf(backend);
  const kernels = kernelsOn(memory);
  const bytes = scratchBytes(kernels) >>> 0;
  const output = allocateOutput(where, backend, outputShape, 'float32');
  const scratch = backend.wasm._malloc(bytes) >>> 0;
  try {
    if (isMissing(memory, scratch, bytes)) failOutOfMemory(where, `${bytes} bytes of scratch memory`);
    // An allocation can grow the memory, so offsets are all that may be held here: views would be detached.
    const [first, second] = inputs;
    run(kernels, offsetOf(backend, first), offsetOf(backend, second), offsetOf(backend, output), scratch);
  } catch (error) {
    backend.disposeData(output.dataId);
    throw error;
  } finally {
    backend.wasm._free(scratch);
  }
  return output;
}

/** Byte offset of a tensor in the backend's memory. */
export function offsetOf(backend: WasmBackend, { dataId }: TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

/**
 * A tensor on the backend, its values not set yet.
 *
 * tfjs's own `makeOutput` gives a tensor at offset 0 where there is no memory left; writing to it would destroy others.
 *
 * @throws {MobilenetError} `out-of-memory`
 */
export function allocateOutput(where: string, backend: WasmBackend, shape: number[], dtype: DataType): TensorInfo {
  const what = `a tensor [${shape}]`;
  const bytes = util.sizeFromShape(shape) * util.bytesPerElement(dtype);
  // tfjs would ask for the size modulo 4 GB.
  if (bytes >= 2 ** 32) failOutOfMemory(where, what);
  const output = backend.makeOutput(shape, dtype);
  if (isMissing(memoryOf(backend), offsetOf(backend, output), bytes)) {
    backend.disposeData(output.dataId);
    failOutOfMemory(where, what);
  }
  return output;
}

/** Out of memory is 0, but near 4 GB tfjs's malloc also returns blocks that end past the memory. */
function isMissing(memory: WebAssembly.Memory, offset: number, bytes: number): boolean {
  return offset === 0 || offset + bytes > memory.buffer.byteLength;
}

/** The memory that the backend's tensors lie in. */
export function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory {
  const memory = wasm.wasmMemory ?? wasm.asm?.memory;
  if (memory === undefined) {
    fail({
      code: 'missing-backend',
      where: 'registerWasmTrainingKernels',
      expected: "the wasm backend to show its memory, as tfjs 4's does",
      received: 'a backend without `wasm.asm.memory` and `wasm.wasmMemory`',
      remedy: 'Install @tensorflow/tfjs-backend-wasm 4.22.',
    });
  }
  return memory;
}

function failOutOfMemory(where: string, what: string): never {
  fail({
    code: 'out-of-memory',
    where,
    expected: `the wasm backend to have room for ${what}`,
    received: 'out of memory (WebAssembly ends at 4 GB)',
    remedy: 'Use a smaller batch, or dispose tensors that are no longer needed.',
  });
}
