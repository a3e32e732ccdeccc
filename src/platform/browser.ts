import { check, fail } from '../errors';
import { drawnPixels } from './canvas';
import { notAPicture } from './notAPicture';
import type { ByteStream, Platform, PlatformWorker } from './platform';
import { privateFolders } from './privateFolders';

const CACHE = 'mobilenet-v1-ts';

/** No files but private ones; the cache is the Cache API, where the page has one (https or localhost). */
export const platform: Platform = {
  name: 'browser',

  listFolder: async (path) => refusePath(path),
  realPath: async (path) => refusePath(path),
  fileSize: async (path) => refusePath(path),
  readFile: async (path) => refusePath(path),
  streamFile: async (path) => refusePath(path),
  writeFolder: async (path) => refusePath(path),
  replaceFile: async (path) => refusePath(path),

  folders: privateFolders,

  canCache: async () => (await openCache(CACHE)) !== undefined,

  async readCache(name, directory) {
    const cache = await openCache(directory);
    const response = await cache?.match(keyOf(name));
    return (response?.body as ByteStream | null | undefined) ?? undefined;
  },

  async writeCache(name, bytes, directory) {
    const cache = await openCache(directory);
    if (cache === undefined) return bytes.cancel();
    const source = rememberError(bytes);
    try {
      // put() stores nothing when the stream fails, but rejects with an error of its own.
      await cache.put(keyOf(name), new Response(source.stream));
    } catch (error) {
      if (source.failures.length > 0) throw source.failures[0];
      fail({
        code: 'file-system',
        where: name,
        expected: 'room in the browser cache of this page',
        received: String(error),
        remedy: "Free some of the browser's storage, or pass the bytes instead of an address.",
        cause: error,
      });
    }
  },

  async deleteCache(name, directory) {
    await (await openCache(directory))?.delete(keyOf(name));
  },

  async createSha256() {
    const { subtle } = globalThis.crypto ?? {};
    if (subtle === undefined) {
      fail({
        code: 'invalid-argument',
        where: 'SHA-256',
        expected: 'a page that may use crypto.subtle',
        received: 'an insecure page',
        remedy: 'Serve the page over https or from localhost, or pass { verify: false }.',
      });
    }
    // crypto.subtle digests in one piece only.
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    return {
      update: (bytes) => void chunks.push(bytes),
      digest: async () => toHex(await subtle.digest('SHA-256', await new Blob(chunks).arrayBuffer())),
    };
  },

  async decodeImage(bytes, where) {
    const bitmap = await createImageBitmap(new Blob([bytes])).catch((error) => notAPicture(where, error));
    try {
      return drawnPixels(bitmap, bitmap.width, bitmap.height, where);
    } finally {
      bitmap.close();
    }
  },

  messages: { write: (text) => console.log(text.trimEnd()) },

  createBar: async () => ({ missing: 'a browser has no terminal' }),

  describe: () => ({ runtime: globalThis.navigator?.userAgent ?? 'a browser', processors: platform.processors() }),

  processors: () => globalThis.navigator?.hardwareConcurrency ?? 1,

  canShareMemory: () => globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer !== 'undefined',

  startWorker(source, createWorker) {
    if (createWorker !== undefined) return connectWorker(createWorker());
    const address = URL.createObjectURL(new Blob([source, '\nserve(self);'], { type: 'text/javascript' }));
    const revoke = () => URL.revokeObjectURL(address);
    try {
      const worker = new Worker(address);
      for (const event of ['message', 'error']) worker.addEventListener(event, revoke, { once: true });
      return connectWorker(worker, revoke);
    } catch (error) {
      revoke();
      throw error;
    }
  },
};

function connectWorker(worker: unknown, onTerminate = () => {}): PlatformWorker {
  const isWorker = worker instanceof EventTarget && 'postMessage' in worker && 'terminate' in worker;
  check(isWorker, { where: 'createWorker', expected: 'a Worker', received: worker });
  const web = worker as Worker;
  const failure = new Promise<unknown>((resolve) => {
    web.addEventListener('error', (event) => {
      // It is told through the promise; the console would show it a second time.
      event.preventDefault();
      resolve(event.message || 'a worker that cannot be loaded');
    });
    web.addEventListener('messageerror', () => resolve('a message that cannot be read'));
  });
  const connected: PlatformWorker = {
    onMessage: () => {},
    failure,
    post: (message, transfer = []) => web.postMessage(message, transfer),
    async terminate() {
      onTerminate();
      web.terminate();
    },
    keepAlive: () => {},
  };
  web.addEventListener('message', ({ data }) => connected.onMessage(data));
  return connected;
}

/** Undefined on an insecure page, and where the user's settings forbid storage. */
async function openCache(directory = CACHE): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(directory);
  } catch {
    return undefined;
  }
}

/** The Cache API wants addresses; a page's own could collide with its files, this one cannot exist. */
function keyOf(name: string): string {
  return `https://${CACHE}.invalid/${encodeURIComponent(name)}`;
}

/** The same stream, and the errors with which it failed: none or one. */
function rememberError(bytes: ByteStream) {
  const reader = bytes.getReader();
  const failures: unknown[] = [];
  const stream: ByteStream = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { stream, failures };
}

function toHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function refusePath(path: string): never {
  fail({
    code: 'file-system',
    where: path,
    expected: 'Node, where there are files and folders',
    received: 'a browser',
    remedy: 'Pass a URL or bytes; models also go to and from indexeddb:// and downloads://.',
  });
}
