import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
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
 * @throws {MobilenetError} `invalid-argument` where an input is not float32, or the memory does not suffice
 */
export function runGradient({ where, backend, inputs, outputShape, scratchBytes, run }: GradientRun): TensorInfo {
  for (const { dtype } of inputs) check(dtype === 'float32', { where, expected: 'float32 tensors', received: dtype });
  const size = outputShape.reduce((product, length) => product * length, 1);
  const isEmpty = size === 0 || inputs.some(({ shape }) => shape.includes(0));
  if (isEmpty) return backend.makeOutput(outputShape, 'float32', undefined, new Float32Array(size));

  const memory = memoryOf(backend);
  const kernels = kernelsOn(memory);
  const bytes = scratchBytes(kernels) >>> 0;
  // tfjs would ask for the size modulo 4 GB.
  if (size * 4 >= 2 ** 32) failOutOfMemory(where, outputShape, bytes);
  const output = backend.makeOutput(outputShape, 'float32');
  const scratch = backend.wasm._malloc(bytes) >>> 0;
  try {
    // An allocation can grow the memory, so offsets are all that may be held here: views would be detached.
    const offset = ({ dataId }: TensorInfo) => backend.dataIdMap.get(dataId).memoryOffset;
    // Out of memory is 0, but near 4 GB tfjs's malloc also returns blocks that end past the memory.
    const isMissing = (start: number, length: number) => start === 0 || start + length > memory.buffer.byteLength;
    if (isMissing(scratch, bytes) || isMissing(offset(output), size * 4)) failOutOfMemory(where, outputShape, bytes);
    run(kernels, offset(inputs[0]), offset(inputs[1]), offset(output), scratch);
  } catch (error) {
    backend.disposeData(output.dataId);
    throw error;
  } finally {
    backend.wasm._free(scratch);
  }
  return output;
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

function failOutOfMemory(where: string, outputShape: number[], bytes: number): never {
  fail({
    code: 'invalid-argument',
    where,
    expected: `the wasm backend to have room for a tensor [${outputShape}] and ${bytes} bytes of scratch memory`,
    received: 'out of memory (WebAssembly ends at 4 GB)',
    remedy: 'Use a smaller batch, or dispose tensors that are no longer needed.',
  });
}
