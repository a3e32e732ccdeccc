import { fail } from '../errors';
import type { Conv2dGeometry, DepthwiseGeometry } from './geometry';
import { simdSharedBase64, simdUnsharedBase64 } from './wasmBytes.generated';

/** The WebAssembly module's exports. Tensors and scratch are byte offsets into the memory that it was given. */
export interface Kernels {
  f32ColumnSums(x: number, out: number, rows: number, columns: number, divisor: number): void;
  f32Conv2dFilterGradient(x: number, dy: number, dw: number, scratch: number, ...geometry: Conv2dGeometry): void;
  f32Conv2dFilterGradientScratchBytes(C: number, F: number, KH: number, KW: number): number;
  f32Conv2dInputGradient(dy: number, w: number, dx: number, scratch: number, ...geometry: Conv2dGeometry): void;
  f32Conv2dInputGradientScratchBytes(C: number, F: number, KH: number, KW: number): number;
  f32DepthwiseFilterGradient(x: number, dy: number, dw: number, scratch: number, ...geometry: DepthwiseGeometry): void;
  f32DepthwiseInputGradient(dy: number, w: number, dx: number, scratch: number, ...geometry: DepthwiseGeometry): void;
  f32DepthwiseGradientScratchBytes(
    C: number,
    OW: number,
    multiplier: number,
    KH: number,
    KW: number,
    strideW: number,
    dilationH: number,
    dilationW: number,
  ): number;
}

const modules: { unshared?: WebAssembly.Module; shared?: WebAssembly.Module } = {};
const instances = new WeakMap<WebAssembly.Memory, Kernels>();

/**
 * Compiles the kernels; {@link kernelsOn} can be called from then on.
 *
 * Asynchronous, because browsers refuse to compile on their main thread.
 *
 * @throws {MobilenetError} `missing-backend` where WebAssembly has no SIMD
 */
export async function compileKernels(): Promise<void> {
  try {
    modules.unshared ??= await WebAssembly.compile(decodeBase64(simdUnsharedBase64));
    // Where pages may not share memory, tfjs does not either, and the engine may not know what the module asks for.
    if (typeof SharedArrayBuffer !== 'undefined') {
      modules.shared ??= await WebAssembly.compile(decodeBase64(simdSharedBase64));
    }
  } catch (cause) {
    fail({
      code: 'missing-backend',
      where: 'compileKernels',
      expected: 'a JavaScript engine with WebAssembly SIMD',
      received: cause instanceof Error ? cause.message : cause,
      remedy: 'Use Node 20, Chrome 91, Firefox 89, Safari 16.4 or later.',
      cause,
    });
  }
}

/** The kernels that work in place on this memory, shared or not; one instance per memory. */
export function kernelsOn(memory: WebAssembly.Memory): Kernels {
  let kernels = instances.get(memory);
  if (kernels === undefined) {
    const isShared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
    const module = isShared ? modules.shared : modules.unshared;
    if (module === undefined) {
      fail({
        code: 'missing-backend',
        where: 'kernelsOn',
        expected: 'the kernels to be compiled',
        received: 'a call before compileKernels() was done',
        remedy: 'Await it first.',
      });
    }
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
    instances.set(memory, kernels);
  }
  return kernels;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
