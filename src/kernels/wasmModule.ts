import { fail } from '../errors';
import type { EngineKernels } from './engineKernels';
import type { Conv2dGeometry, DepthwiseGeometry } from './geometry';
import { relaxedSimdBase64, simdBase64 } from './wasmBytes.generated';

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

/** One of the module's four builds: for runtimes with relaxed SIMD or without, for a shared memory or an unshared one. */
export type WasmFlavour = 'simd' | 'simd-shared' | 'relaxed-simd' | 'relaxed-simd-shared';

/** The instructions that a module uses. */
export type SimdLevel = 'simd' | 'relaxed-simd';

type WasmSource = (flavour: WasmFlavour) => BufferSource | Promise<BufferSource>;

// The import of a memory, as a section of the module (core specification, 5.3.7 and 5.5.5; threads proposal). A module that
// imports unshared memory refuses a shared one and the other way round, and nothing else differs between the two. 65,536
// pages (4 GB) is the maximum of tfjs's own shared memory; the import's may not be lower.
const UNSHARED_IMPORT = '\x02\x0f\x01\x03env\x06memory\x02\x00\x00';
const SHARED_IMPORT = '\x02\x12\x01\x03env\x06memory\x02\x03\x01\x80\x80\x04';

// () -> v128: f32x4.relaxed_madd of three splats (WebAssembly relaxed SIMD proposal). All of relaxed SIMD is there, or none.
const RELAXED_PROBE = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
];

let source: WasmSource = inlinedWasm;
const compiled = new Map<WasmFlavour, Promise<WebAssembly.Module>>();

/** What {@link kernelsOn} instantiates; as tfjs's results may not depend on the runtime, never the relaxed flavours. */
const modules: { unshared?: WebAssembly.Module; shared?: WebAssembly.Module } = {};
const instances = new WeakMap<WebAssembly.Memory, Kernels>();
const sizers = new WeakMap<WebAssembly.Module, EngineKernels>();

/** Takes the modules from somewhere else, or, by undefined, from what is inlined; for those that are compiled from now on. */
export function setWasmSource(own: WasmSource | undefined): void {
  source = own ?? inlinedWasm;
  compiled.clear();
}

/** The engine's kernels, for a memory to come. */
export interface KernelModule {
  module: WebAssembly.Module;
  name: SimdLevel;
  /** On a memory of one page: for what they say of themselves, such as the scratch memory that they need. */
  kernels: EngineKernels;
}

/**
 * The best of the engine's kernels that the runtime can run, compiled once.
 *
 * @throws {MobilenetError} `missing-backend` where WebAssembly has no SIMD or a page may not compile it
 */
export async function loadKernelModule({ shared }: { shared: boolean }): Promise<KernelModule> {
  const name = WebAssembly.validate(Uint8Array.from(RELAXED_PROBE)) ? 'relaxed-simd' : 'simd';
  const module = await compile(shared ? `${name}-shared` : name);
  let kernels = sizers.get(module);
  if (kernels === undefined) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as EngineKernels;
    sizers.set(module, kernels);
  }
  return { module, name, kernels };
}

/**
 * Compiles the kernels; {@link kernelsOn} can be called from then on.
 *
 * Asynchronous, because browsers refuse to compile on their main thread.
 *
 * @throws {MobilenetError} `missing-backend` where WebAssembly has no SIMD or a page may not compile it
 */
export async function compileKernels(): Promise<void> {
  modules.unshared ??= await compile('simd');
  // Where pages may not share memory, tfjs does not either, and the engine may not know what the module asks for.
  if (typeof SharedArrayBuffer !== 'undefined') modules.shared ??= await compile('simd-shared');
}

function compile(flavour: WasmFlavour): Promise<WebAssembly.Module> {
  let module = compiled.get(flavour);
  if (module === undefined) {
    module = compileBytes(flavour);
    compiled.set(flavour, module);
    // What failed may go well next time: a download, above all.
    module.catch(() => compiled.delete(flavour));
  }
  return module;
}

async function compileBytes(flavour: WasmFlavour): Promise<WebAssembly.Module> {
  const bytes = await source(flavour);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    fail({
      code: 'missing-backend',
      where: `The kernels (${flavour})`,
      expected: 'a JavaScript engine with WebAssembly SIMD',
      received: cause instanceof Error ? cause.message : cause,
      remedy:
        'Use Node 20, Chrome 91, Firefox 89, Safari 16.4 or later. ' +
        "A Content Security Policy must allow 'wasm-unsafe-eval' in its script-src.",
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

/** The bytes of a module as the package has them inlined. */
export function inlinedWasm(flavour: WasmFlavour): Uint8Array<ArrayBuffer> {
  const isRelaxed = flavour.startsWith('relaxed');
  const unshared = atob(isRelaxed ? relaxedSimdBase64 : simdBase64);
  const bytes = flavour.endsWith('shared') ? unshared.replace(UNSHARED_IMPORT, SHARED_IMPORT) : unshared;
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}
