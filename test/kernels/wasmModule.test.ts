import { beforeAll, expect, test } from 'vitest';
import type { Conv2dGeometry, DepthwiseGeometry } from '../../src/kernels/geometry';
import {
  relaxedSharedBase64,
  relaxedUnsharedBase64,
  simdSharedBase64,
  simdUnsharedBase64,
} from '../../src/kernels/wasmBytes.generated';
import { compileKernels, kernelsOn, loadKernelModule } from '../../src/kernels/wasmModule';
import { randomValues } from './harness';

beforeAll(compileKernels);

const compile = (base64: string) => new WebAssembly.Module(Buffer.from(base64, 'base64'));

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

test.each([
  ['unshared', simdUnsharedBase64],
  ['shared', simdSharedBase64],
])('the %s module imports a memory and has no data, no start function, no globals of its own', (_, base64) => {
  const [start, data, globals] = [8, 11, 6];
  const ids = sectionIds(Buffer.from(base64, 'base64'));
  for (const section of [start, data, globals]) expect(ids).not.toContain(section);
  expect(ids).toContain(10);
  expect(WebAssembly.Module.imports(compile(base64))).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
});

test('one instance per memory, and the shared module accepts a memory of 65,536 pages at most', () => {
  const shared = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
  const unshared = new WebAssembly.Memory({ initial: 4 });
  expect(kernelsOn(shared)).toBe(kernelsOn(shared));
  expect(kernelsOn(unshared)).not.toBe(kernelsOn(shared));
});

test.each([
  ['unshared', false, simdUnsharedBase64, relaxedUnsharedBase64],
  ['shared', true, simdSharedBase64, relaxedSharedBase64],
])('the engine gets the %s module with relaxed SIMD where that validates', async (_, shared, simd, relaxed) => {
  const isRelaxed = WebAssembly.validate(Buffer.from(relaxed, 'base64'));
  const { module, name, kernels } = await loadKernelModule({ shared });
  expect(name).toBe(isRelaxed ? 'relaxed-simd' : 'simd');
  expect(WebAssembly.Module.exports(module)).toEqual(WebAssembly.Module.exports(compile(isRelaxed ? relaxed : simd)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  expect(() => new WebAssembly.Instance(module, { env: { memory } })).not.toThrow();
  expect(kernels.f32ConvForwardScratchBytes(24, 8)).toBeGreaterThan(0);
  expect(await loadKernelModule({ shared })).toEqual({ module, name, kernels });
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
