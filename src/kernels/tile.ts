import { type KernelConfig, type KernelFunc, type TensorInfo, Tile, util } from '@tensorflow/tfjs-core';
import { allocateOutput, memoryOf, offsetOf, type WasmBackend } from './wasmBackend';

interface TileCall {
  inputs: { x: TensorInfo };
  attrs: { reps: number[] };
  backend: WasmBackend;
}

/**
 * tfjs's `Tile`, faster where a whole tensor is repeated, one copy after the other.
 *
 * tfjs's gradient of batch norm tiles its per-channel values over every pixel, three times a layer, and its own kernel
 * copies them value by value: that alone was 40 % of a training step. Other tilings stay with tfjs's kernel.
 */
export function fasterTile(original: KernelConfig): KernelConfig {
  const tile = (call: TileCall) =>
    call.inputs.x.dtype !== 'string' && repeatsWhole(call.inputs.x.shape, call.attrs.reps)
      ? repeatWhole(call)
      : original.kernelFunc(call as never);
  return { ...original, kernelFunc: tile as unknown as KernelFunc };
}

/** True for `[1,1,1,C]` times `[N,H,W,1]`: every axis before the last repeated one has length 1. */
function repeatsWhole(shape: readonly number[], reps: readonly number[]): boolean {
  const lastRepeated = reps.findLastIndex((times) => times !== 1);
  return lastRepeated >= 0 && shape.slice(0, lastRepeated + 1).every((length) => length === 1);
}

function repeatWhole({ inputs: { x }, attrs: { reps }, backend }: TileCall): TensorInfo {
  const shape = x.shape.map((length, axis) => length * reps[axis]!);
  const output = allocateOutput(Tile, backend, shape, x.dtype);
  const once = util.sizeFromShape(x.shape) * util.bytesPerElement(x.dtype);
  const bytes = once * util.sizeFromShape(reps);
  if (bytes === 0) return output;
  // After the allocation, which can grow the memory and detach its views.
  const memory = new Uint8Array(memoryOf(backend).buffer);
  const [source, start] = [offsetOf(backend, x), offsetOf(backend, output)];
  memory.copyWithin(start, source, source + once);
  for (let done = once; done < bytes; done *= 2) {
    memory.copyWithin(start + done, start, start + Math.min(done, bytes - done));
  }
  return output;
}
