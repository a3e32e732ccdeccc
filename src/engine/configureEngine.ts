import { platform } from '#platform';
import { check, checkOptions, fail } from '../errors';
import { setWasmSource, type WasmFlavour } from '../kernels/wasmModule';
import { downloadBytes } from '../platform/download';

/** One of the four files in `mobilenet-v1-ts/wasm/`: its bytes, or where they are. In Node an address may be a path. */
export type WasmFile = BufferSource | Response | URL | string;

/** Options for {@link configureEngine}. */
export interface ConfigureEngineOptions {
  /**
   * The file `mobilenet-v1-ts/wasm/<flavour>.wasm`. Only flavours that the runtime can use are asked for: with shared memory
   * where there is `SharedArrayBuffer`, without it for one thread, and relaxed SIMD where there is that.
   *
   * @default the bytes that the package has inlined
   */
  wasm?: ((flavour: WasmFlavour) => WasmFile | Promise<WasmFile>) | undefined;
  /**
   * A new worker that runs `mobilenet-v1-ts/worker`: a Web Worker, or in Node one of `node:worker_threads`.
   *
   * @default a worker from a source that the package has inlined
   */
  createWorker?: (() => unknown) | undefined;
}

let settings: ConfigureEngineOptions = {};

/**
 * Says where the engine's workers and WebAssembly come from, for apps whose Content Security Policy allows
 * neither `blob:` workers nor inlined bytes. Holds from the next training or classifier on; what a call leaves out has its default.
 *
 * @throws {MobilenetError} `invalid-argument`
 *
 * @example
 * ```ts
 * configureEngine({
 *   createWorker: () => new Worker('/assets/mobilenet-worker.js'),
 *   wasm: (flavour) => `/assets/${flavour}.wasm`,
 * });
 * ```
 */
export function configureEngine(options: ConfigureEngineOptions): void {
  checkOptions('configureEngine', options, { wasm: 'function', createWorker: 'function' });
  const { wasm } = options;
  settings = { ...options };
  setWasmSource(wasm && (async (flavour) => readWasm(flavour, await wasm(flavour))));
}

/** What {@link configureEngine} was last called with. */
export function engineSettings(): Readonly<ConfigureEngineOptions> {
  return settings;
}

async function readWasm(flavour: WasmFlavour, file: WasmFile): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(flavour, file);
  // A server that answers every address with its start page is how this usually goes wrong.
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== '\0asm') {
    fail({
      code: 'invalid-data',
      where: `configureEngine, wasm('${flavour}')`,
      expected: 'a WebAssembly file',
      received: `${bytes.length} other bytes`,
      remedy: `Give mobilenet-v1-ts/wasm/${flavour}.wasm.`,
    });
  }
  return bytes;
}

async function readBytes(flavour: WasmFlavour, file: WasmFile): Promise<Uint8Array<ArrayBuffer>> {
  if (file instanceof Response) return readResponse(flavour, file);
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  check(typeof file === 'string' || file instanceof URL, {
    where: `configureEngine, wasm('${flavour}')`,
    expected: 'bytes, a Response, a URL or an address',
    received: file,
  });
  const address = String(file);
  if (platform.name === 'node' && !/^(https?|data|blob):/.test(address)) return platform.readFile(address);
  return downloadBytes(address);
}

async function readResponse(flavour: WasmFlavour, response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) {
    await response.body?.cancel();
    fail({
      code: 'download-failed',
      where: `configureEngine, wasm('${flavour}')`,
      expected: 'HTTP status 200 and a file',
      received: `${response.status} ${response.statusText}`.trim(),
    });
  }
  return new Uint8Array(await response.arrayBuffer());
}
