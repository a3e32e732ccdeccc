import { webcrypto } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadRelease } from '../../src/data/cifar10';
import { platform } from '../../src/platform/browser';
import type { ByteStream } from '../../src/platform/platform';
import { makeArchive, RECORDS_PER_FILE, releaseOf } from '../data/cifar10Fixture';

vi.mock('#platform', () => import('../../src/platform/browser'));

/** The part of the Cache API that is used, as the standard has it: put() rejects with an error of its own. */
function fakeCaches() {
  const stores = new Map<string, Map<string, Uint8Array<ArrayBuffer>>>();
  const open = async (name: string) => {
    const store = stores.get(name) ?? new Map();
    stores.set(name, store);
    return {
      match: async (key: string) => (store.has(key) ? new Response(store.get(key)) : undefined),
      delete: async (key: string) => store.delete(key),
      async put(key: string, response: Response) {
        const bytes = await response.arrayBuffer().catch(() => {
          throw new TypeError('network error');
        });
        store.set(key, new Uint8Array(bytes));
      },
    };
  };
  return { open, stores };
}

let caches: ReturnType<typeof fakeCaches>;
beforeEach(() => {
  caches = fakeCaches();
  vi.stubGlobal('caches', caches);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const streamOf = (text: string) => new Blob([text]).stream() as ByteStream;

describe('the cache', () => {
  test('keeps, gives back and deletes', async () => {
    expect(await platform.canCache()).toBe(true);
    expect(await platform.readCache('name')).toBeUndefined();
    await platform.writeCache('name', streamOf('bytes'));
    expect(await new Response(await platform.readCache('name')).text()).toBe('bytes');
    expect(await platform.readCache('name', 'another cache')).toBeUndefined();
    expect([...caches.stores.keys()]).toContain('mobilenet-v1-ts');
    await platform.deleteCache('name');
    expect(await platform.readCache('name')).toBeUndefined();
  });

  test('a stream that fails stores nothing, and its own error is thrown', async () => {
    const error = new Error('the stream broke');
    const broken: ByteStream = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(10));
        controller.error(error);
      },
    });
    await expect(platform.writeCache('name', broken)).rejects.toBe(error);
    expect(await platform.readCache('name')).toBeUndefined();
  });

  test('no room: a clear error', async () => {
    const put = () => Promise.reject(new DOMException('Quota exceeded.', 'QuotaExceededError'));
    vi.stubGlobal('caches', { open: async () => ({ put }) });
    await expect(platform.writeCache('name', streamOf('bytes'))).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('Quota exceeded'),
    });
  });

  test.each([
    ['an insecure page', undefined],
    ['a page whose storage is forbidden', { open: () => Promise.reject(new DOMException('no', 'SecurityError')) }],
  ])('%s has none', async (_, none) => {
    vi.stubGlobal('caches', none);
    expect(await platform.canCache()).toBe(false);
    await platform.writeCache('name', streamOf('bytes'));
    expect(await platform.readCache('name')).toBeUndefined();
    await platform.deleteCache('name');
  });
});

describe('SHA-256', () => {
  test('in pieces is that of the whole', async () => {
    const sha256 = await platform.createSha256();
    for (const piece of ['a', 'b', 'c']) sha256.update(new TextEncoder().encode(piece));
    const whole = await webcrypto.subtle.digest('SHA-256', new TextEncoder().encode('abc'));
    expect(await sha256.digest()).toBe(Buffer.from(whole).toString('hex'));
  });

  test('on an insecure page: a clear error', async () => {
    vi.stubGlobal('crypto', {});
    await expect(platform.createSha256()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('verify: false'),
    });
  });
});

test('paths are refused with what to do instead', async () => {
  const refused = { code: 'file-system', message: expect.stringContaining('Pass a URL or bytes') };
  for (const method of ['listFolder', 'realPath', 'fileSize', 'readFile', 'streamFile'] as const) {
    await expect(platform[method]('some/path')).rejects.toMatchObject(refused);
  }
  await expect(platform.writeFolder('some/path', new Map())).rejects.toMatchObject(refused);
});

describe('loadCifar10 in a browser', () => {
  const url = 'https://example.org/cifar-10-binary.tar.gz';

  test.each([
    ['with a cache, the second time from there', true, 1],
    ['without a cache, every time from the network', false, 2],
  ])('%s', async (_, hasCache, downloads) => {
    if (!hasCache) vi.stubGlobal('caches', undefined);
    const archive = await makeArchive();
    const fetch = vi.fn(async () => new Response(archive));
    for (let i = 0; i < 2; i++) {
      const { train } = await loadRelease(releaseOf(url, archive), { fetch });
      expect(train.size).toBe(5 * RECORDS_PER_FILE);
    }
    expect(fetch).toHaveBeenCalledTimes(downloads);
  });

  test('a wrong download is refused, with a cache and without', async () => {
    const archive = await makeArchive();
    const fetch = async () => new Response(archive.with(5_000, archive[5_000]! ^ 1));
    for (const store of [caches, undefined]) {
      vi.stubGlobal('caches', store);
      await expect(loadRelease(releaseOf(url, archive), { fetch })).rejects.toMatchObject({ code: 'invalid-data' });
    }
    expect([...caches.stores.values()].map(({ size }) => size)).toEqual([0]);
  });

  test('an insecure page downloads nothing that it cannot verify', async () => {
    vi.stubGlobal('crypto', {});
    vi.stubGlobal('caches', undefined);
    const archive = await makeArchive();
    const fetch = vi.fn(async () => new Response(archive));
    await expect(loadRelease(releaseOf(url, archive), { fetch })).rejects.toThrow('verify: false');
    expect(fetch).not.toHaveBeenCalled();
  });

  test('a string is an address, relative to the page, in browsers without URL.canParse too', async () => {
    vi.stubGlobal('location', { href: 'https://example.org/app/' });
    vi.stubGlobal('URL', Object.assign(class extends URL {}, { canParse: undefined }));
    const archive = await makeArchive();
    const fetch = vi.fn(async () => new Response(archive));
    await loadRelease(releaseOf(url, archive), { source: 'data/cifar.tar.gz', fetch });
    expect(fetch).toHaveBeenCalledWith('https://example.org/app/data/cifar.tar.gz', {});
  });
});

describe('workers', () => {
  /** A Web Worker that never runs: what it was made from, what it was sent, and events to dispatch. */
  class FakeWorker extends EventTarget {
    static made: FakeWorker[] = [];
    sent: unknown[] = [];
    isTerminated = false;
    constructor(readonly address: string) {
      super();
      FakeWorker.made.push(this);
    }
    postMessage(...args: unknown[]) {
      this.sent.push(args);
    }
    terminate() {
      this.isTerminated = true;
    }
  }
  const errorEvent = (message?: string) => Object.assign(new Event('error', { cancelable: true }), { message });
  let addresses: Map<string, Blob>;

  beforeEach(() => {
    FakeWorker.made = [];
    addresses = new Map();
    vi.stubGlobal('Worker', FakeWorker);
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      addresses.set(`blob:${addresses.size}`, blob as Blob);
      return `blob:${addresses.size - 1}`;
    });
    vi.spyOn(URL, 'revokeObjectURL').mockImplementation((address) => void addresses.delete(address));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const start = () => {
    const worker = platform.startWorker('the source');
    return { worker, fake: FakeWorker.made[0]! };
  };

  test('a source runs from a blob, which is let go when the worker speaks', async () => {
    const { worker, fake } = start();
    expect(await addresses.get(fake.address)!.text()).toBe('the source\nserve(self);');
    const heard: unknown[] = [];
    worker.onMessage = (data) => heard.push(data);
    fake.dispatchEvent(new MessageEvent('message', { data: 'ready' }));
    expect(heard).toEqual(['ready']);
    expect(addresses.size).toBe(0);
  });

  test('posts, and terminates', async () => {
    const { worker, fake } = start();
    const bytes = new ArrayBuffer(1);
    worker.post('one');
    worker.post('two', [bytes]);
    expect(fake.sent).toEqual([
      ['one', []],
      ['two', [bytes]],
    ]);
    worker.keepAlive(false);
    await worker.terminate();
    expect(fake.isTerminated).toBe(true);
    expect(addresses.size).toBe(0);
  });

  test.each([
    ['an error', errorEvent('broken'), 'broken'],
    ['an error without words, as of a policy', errorEvent(), 'cannot be loaded'],
    ['an unreadable message', new Event('messageerror'), 'cannot be read'],
  ])('%s is its failure', async (_, event, words) => {
    const { worker, fake } = start();
    fake.dispatchEvent(event);
    expect(await worker.failure).toContain(words);
  });

  test('a policy that forbids it throws, and leaves no blob', () => {
    vi.stubGlobal('Worker', function Worker() {
      throw new DOMException('refused', 'SecurityError');
    });
    expect(() => platform.startWorker('the source')).toThrow('refused');
    expect(addresses.size).toBe(0);
  });

  test('one of your own takes its place', async () => {
    const own = new FakeWorker('own.js');
    await platform.startWorker('the source', () => own).terminate();
    expect(own.isTerminated).toBe(true);
    expect(addresses.size).toBe(0);
    expect(() => platform.startWorker('the source', () => ({}))).toThrow('a Worker');
  });

  test('memory is shared on isolated pages only', () => {
    expect(platform.canShareMemory()).toBe(false);
    vi.stubGlobal('crossOriginIsolated', true);
    expect(platform.canShareMemory()).toBe(true);
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(platform.canShareMemory()).toBe(false);
  });

  test('processors, where the browser tells', () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 6 });
    expect(platform.processors()).toBe(6);
    vi.stubGlobal('navigator', undefined);
    expect(platform.processors()).toBe(1);
  });
});
