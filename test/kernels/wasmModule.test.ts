import { beforeAll, expect, test } from 'vitest';
import type { Conv2dGeometry, DepthwiseGeometry } from '../../src/kernels/geometry';
import {
  compileKernels,
  inlinedWasm,
  kernelsOn,
  loadKernelModule,
  type WasmFlavour,
} from '../../src/kernels/wasmModule';
import { randomValues } from './harness';

beforeAll(compileKernels);

const flavours: WasmFlavour[] = ['simd', 'simd-shared', 'relaxed-simd', 'relaxed-simd-shared'];
const supported = flavours.filter((flavour) => WebAssembly.validate(inlinedWasm(flavour)));
const compile = (flavour: WasmFlavour) => new WebAssembly.Module(inlinedWasm(flavour));

/** The ids of a module's sections (WebAssembly core specification, 5.5.2). */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7, at++) {
      size |= (bytes[at]! & 0x7f) << shift;
      more = bytes[at]! >= 0x80;
    }
    at += size;
  }
  return ids;
}

test.each(supported)('%s imports a memory and has no data, no start function, no globals of its own', (flavour) => {
  const [start, data, globals] = [8, 11, 6];
  const ids = sectionIds(inlinedWasm(flavour));
  for (const section of [start, data, globals]) expect(ids).not.toContain(section);
  expect(ids).toContain(10);
  expect(WebAssembly.Module.imports(compile(flavour))).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
});

test('one instance per memory, and the shared module accepts a memory of 65,536 pages at most', () => {
  const shared = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
  const unshared = new WebAssembly.Memory({ initial: 4 });
  expect(kernelsOn(shared)).toBe(kernelsOn(shared));
  expect(kernelsOn(unshared)).not.toBe(kernelsOn(shared));
});

test.each([
  ['unshared', false],
  ['shared', true],
])('on %s memory the engine gets relaxed SIMD where that validates', async (_, shared) => {
  const { module, name, kernels } = await loadKernelModule({ shared });
  expect(name).toBe(supported.includes('relaxed-simd') ? 'relaxed-simd' : 'simd');
  expect(WebAssembly.Module.exports(module)).toEqual(WebAssembly.Module.exports(compile(name)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  expect(() => new WebAssembly.Instance(module, { env: { memory } })).not.toThrow();
  expect(kernels.f32ConvForwardScratchBytes(24, 8)).toBeGreaterThan(0);
  expect(await loadKernelModule({ shared })).toEqual({ module, name, kernels });
});

test('where relaxed SIMD is missing, it is the only thing that is', () => {
  expect(supported).toEqual(supported.length === 4 ? flavours : ['simd', 'simd-shared']);
});

test('on shared memory every kernel gives the bits that it gives on unshared memory', () => {
  const shared = runAll(new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true }));
  const unshared = runAll(new WebAssembly.Memory({ initial: 4 }));
  expect(shared).toEqual(unshared);
  expect(unshared.every((values) => values.some((value) => value !== 0))).toBe(true);
});

test.each([0, 1, 2, 3])('kernels touch nothing behind their tensors: operand %i ends with the memory', (last) => {
  const anywhere = runAll(new WebAssembly.Memory({ initial: 4 }));
  expect(runAll(new WebAssembly.Memory({ initial: 4 }), last)).toEqual(anywhere);
});

/**
 * The outputs of the four kernels, on inputs of fixed seeds. Where `last` is given, that operand (two inputs, the
 * output, the scratch) lies at the end of the memory, so that an access past it traps.
 */
function runAll(memory: WebAssembly.Memory, last?: number): Float32Array[] {
  const kernels = kernelsOn(memory);
  const [N, H, W, C, OH, OW, F, KH, KW] = [2, 6, 5, 5, 3, 5, 3, 3, 3] as const;
  const conv: Conv2dGeometry = [N, H, W, C, OH, OW, F, KH, KW, 2, 1, 1, 1];
  const depthwise: DepthwiseGeometry = [...conv, 1, 1];
  const x = randomValues([N, H, W, C], 1);
  const dy = randomValues([N, OH, OW, F], 2);
  const depthwiseDy = randomValues([N, OH, OW, C * F], 3);
  const w = randomValues([KH, KW, C, F], 4);

  const run = (
    first: Float32Array,
    second: Float32Array,
    size: number,
    scratchBytes: number,
    kernel: (first: number, second: number, out: number, scratch: number) => void,
  ) => {
    const lengths = [first.byteLength, second.byteLength, size * 4, scratchBytes];
    const at = [1024, 16384, 32768, 65536].map((offset, i) =>
      i === last ? memory.buffer.byteLength - lengths[i]! : offset,
    ) as [number, number, number, number];
    new Float32Array(memory.buffer, at[0], first.length).set(first);
    new Float32Array(memory.buffer, at[1], second.length).set(second);
    kernel(...at);
    return new Float32Array(memory.buffer, at[2], size).slice();
  };
  const depthwiseScratch = kernels.f32DepthwiseGradientScratchBytes(C, OW, F, KH, KW, 1, 1, 1);
  return [
    run(x, dy, w.length, kernels.f32Conv2dFilterGradientScratchBytes(C, F, KH, KW), (...at) =>
      kernels.f32Conv2dFilterGradient(...at, ...conv),
    ),
    run(dy, w, x.length, kernels.f32Conv2dInputGradientScratchBytes(C, F, KH, KW), (...at) =>
      kernels.f32Conv2dInputGradient(...at, ...conv),
    ),
    run(x, depthwiseDy, w.length, depthwiseScratch, (...at) => kernels.f32DepthwiseFilterGradient(...at, ...depthwise)),
    run(depthwiseDy, w, x.length, depthwiseScratch, (...at) => kernels.f32DepthwiseInputGradient(...at, ...depthwise)),
  ];
}
