import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { configureEngine, engineSettings, type WasmFile } from '../../src/engine/configureEngine';
import { loadKernelModule, type WasmFlavour } from '../../src/kernels/wasmModule';

afterEach(() => {
  configureEngine({});
  vi.unstubAllGlobals();
});

// The least module that exports a function (core specification, 5.5): () -> (), named "own".
const ownModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0],
  ...[7, 7, 1, 3, 111, 119, 110, 0, 0, 10, 4, 1, 2, 0, 11],
);

const exportsOf = async () =>
  WebAssembly.Module.exports((await loadKernelModule({ shared: false })).module).map(({ name }) => name);

describe('wasm', () => {
  const respond = () =>
    vi.stubGlobal('fetch', async (url: string) => new Response(url.endsWith('own.wasm') ? ownModule : '<html>'));

  test.each<[string, () => WasmFile | Promise<WasmFile>]>([
    ['bytes', () => ownModule],
    ['an ArrayBuffer', () => ownModule.buffer],
    ['a part of a buffer', () => new DataView(Uint8Array.of(9, ...ownModule, 9).buffer, 1, ownModule.length)],
    ['a response', () => new Response(ownModule)],
    ['a URL', () => new URL('https://host.invalid/own.wasm')],
    ['an address', () => 'https://host.invalid/own.wasm'],
    ['a promise', () => Promise.resolve(ownModule)],
  ])('may be %s, and is used', async (_, wasm) => {
    respond();
    configureEngine({ wasm });
    expect(await exportsOf()).toEqual(['own']);
  });

  test('may be a file, by its path or its URL', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mobilenet-wasm-'));
    const path = join(folder, 'own.wasm');
    await writeFile(path, ownModule);
    for (const address of [path, pathToFileURL(path)]) {
      configureEngine({ wasm: () => address });
      expect(await exportsOf()).toEqual(['own']);
    }
    await rm(folder, { recursive: true });
  });

  test('is asked for once for each flavour that is needed, and after {} no more', async () => {
    const wasm = vi.fn((_: WasmFlavour) => ownModule);
    configureEngine({ wasm });
    for (const shared of [false, true, false, true]) await loadKernelModule({ shared });
    const { name } = await loadKernelModule({ shared: false });
    expect(wasm.mock.calls).toEqual([[name], [`${name}-shared`]]);
    configureEngine({});
    expect(await exportsOf()).toContain('f32ConvForward');
    expect(wasm).toHaveBeenCalledTimes(2);
  });

  test('also gives the kernels of tfjs', async () => {
    // Another module instance, for in this one they may be compiled already.
    vi.resetModules();
    const fresh = await import('../../src/engine/configureEngine');
    const kernels = await import('../../src/kernels/wasmModule');
    const wasm = vi.fn((_: WasmFlavour) => ownModule);
    fresh.configureEngine({ wasm });
    await kernels.compileKernels();
    expect(wasm.mock.calls).toEqual([['simd'], ['simd-shared']]);
    expect(kernels.kernelsOn(new WebAssembly.Memory({ initial: 1 }))).toHaveProperty('own');
  });

  test.each<[string, () => unknown, string, string]>([
    ['undefined', () => undefined, 'invalid-argument', "wasm('"],
    ['a number', () => 42, 'invalid-argument', 'bytes, a Response, a URL or an address'],
    ['a page in place of the file', () => 'https://host.invalid/', 'invalid-data', '6 other bytes'],
    ['a refusal', () => new Response('', { status: 404 }), 'download-failed', '404'],
    ['a missing file', () => '/no/such/file.wasm', 'file-system', '/no/such/file.wasm'],
    ['a broken module', () => ownModule.subarray(0, 12), 'missing-backend', 'wasm-unsafe-eval'],
  ])('%s: a clear error, and another try may go well', async (_, wasm, code, words) => {
    respond();
    let tries = 0;
    configureEngine({ wasm: () => (tries++ === 0 ? wasm() : ownModule) as WasmFile });
    await expect(loadKernelModule({ shared: false })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    expect(await exportsOf()).toEqual(['own']);
  });
});

test.each([{ wasm: ownModule }, { createWorker: 'worker.js' }, { wasm: null }])('%o is refused', (options) => {
  expect(() => configureEngine(options as never)).toThrow('to be a function');
});

test('a call replaces the one before as a whole', () => {
  const createWorker = () => {};
  configureEngine({ createWorker });
  expect(engineSettings()).toEqual({ createWorker });
  configureEngine({ wasm: () => ownModule });
  expect(engineSettings().createWorker).toBeUndefined();
});
