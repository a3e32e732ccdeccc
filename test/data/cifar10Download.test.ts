import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoadCifar10Options, type LoadProgress, loadRelease } from '../../src/data/cifar10';
import { makeArchive, officialMembers, RECORDS_PER_FILE, releaseOf, startServer } from './cifar10Fixture';

let archive: Uint8Array<ArrayBuffer>;
let server: Awaited<ReturnType<typeof startServer>>;
let answer: (response: ServerResponse) => void;
let cacheDir: string;

const sendWhole = (response: ServerResponse) => response.setHeader('content-length', archive.length).end(archive);
/** The release at our server's address is the official one, unless a source says otherwise. */
const load = (options: LoadCifar10Options = {}) =>
  loadRelease(releaseOf(server.url, archive), { cacheDir, ...options });
const cached = () => readdir(cacheDir).catch(() => []);
const expectSizes = async (loading: ReturnType<typeof load>) => {
  const { train, test: held } = await loading;
  expect([train.size, held.size]).toEqual([5 * RECORDS_PER_FILE, RECORDS_PER_FILE]);
};

beforeEach(async () => {
  archive = await makeArchive();
  answer = sendWhole;
  server = await startServer((_, response) => answer(response));
  cacheDir = join(await mkdtemp(join(tmpdir(), 'mobilenet-download-')), 'cache');
});
afterEach(async () => {
  await server.close();
  await rm(join(cacheDir, '..'), { recursive: true });
});

describe('the official address', () => {
  test('is the default, is downloaded once, then read from the cache', async () => {
    await expectSizes(load());
    await expectSizes(load());
    expect(server.requests()).toBe(1);
    expect(await cached()).toEqual(['cifar-10-binary.tar.gz']);
  });

  test('progress: bytes of the download, then of reading it', async () => {
    const seen: LoadProgress[] = [];
    await load({ onProgress: (progress) => seen.push(progress) });
    const phases = seen.map(({ phase }) => phase);
    expect(phases.lastIndexOf('download')).toBeLessThan(phases.indexOf('read'));
    for (const phase of ['download', 'read']) {
      const { loaded, total } = seen.findLast((progress) => progress.phase === phase)!;
      expect([loaded, total]).toEqual([archive.length, archive.length]);
    }
  });

  test('what onProgress throws comes out, and the file that was read stays in the cache', async () => {
    await load();
    const reason = new TypeError('mine');
    const onProgress = ({ phase }: LoadProgress) => {
      if (phase === 'read') throw reason;
    };
    await expect(load({ onProgress })).rejects.toBe(reason);
    await expectSizes(load());
    expect(server.requests()).toBe(1);
  });

  test.each([
    ['a wrong byte', (bytes: Uint8Array) => bytes.with(9_000, bytes[9_000]! ^ 1), /expected SHA-256 [0-9a-f]{64}/],
    ['a truncated file', (bytes: Uint8Array) => bytes.subarray(0, 9_000), /expected \d+ bytes, received 9000/],
    ['an overlong file', (bytes: Uint8Array) => Buffer.concat([bytes, bytes]), /expected \d+ bytes, received more/],
  ])('%s is refused and not cached', async (_, damage, message) => {
    answer = (response) => response.end(damage(archive));
    await expect(load()).rejects.toMatchObject({ code: 'invalid-data', message: expect.stringMatching(message) });
    expect(await cached()).toEqual([]);
  });

  test.each([
    ['a wrong byte', (bytes: Uint8Array) => bytes.with(bytes.length - 20, bytes.at(-20)! ^ 1)],
    ['another whole archive', () => makeArchive([...officialMembers()].reverse())],
    ['a truncated file', (bytes: Uint8Array) => bytes.subarray(0, 5_000)],
    ['an empty file', () => new Uint8Array()],
  ])('%s in the cache is deleted and downloaded again', async (_, damage) => {
    await load();
    await writeFile(join(cacheDir, 'cifar-10-binary.tar.gz'), await damage(archive));
    await expectSizes(load());
    expect(server.requests()).toBe(2);
    expect(Buffer.compare(await readFile(join(cacheDir, 'cifar-10-binary.tar.gz')), archive)).toBe(0);
  });

  test('verify: false takes another archive of the same content', async () => {
    const release = releaseOf(server.url, new Uint8Array(3));
    await expect(loadRelease(release, { cacheDir })).rejects.toMatchObject({ code: 'invalid-data' });
    await expectSizes(loadRelease(release, { cacheDir, verify: false }));
  });
});

describe('another address', () => {
  const mirror = () => `${server.url}?mirror`;

  test('is judged by its content, and cached under a name of its own', async () => {
    archive = await makeArchive([...officialMembers()].reverse());
    const other = new URL(`${server.url}?other`);
    await expectSizes(load({ source: mirror() }));
    await expectSizes(load({ source: mirror() }));
    await expectSizes(load({ source: other }));
    expect(server.requests()).toBe(2);
    expect(await cached()).toHaveLength(2);
    expect(await cached()).not.toContain('cifar-10-binary.tar.gz');
  });

  test('what is no archive does not stay in the cache', async () => {
    answer = (response) => response.end('<html>Please log in</html>');
    await expect(load({ source: mirror() })).rejects.toMatchObject({ code: 'invalid-data' });
    expect(await cached()).toEqual([]);
    answer = sendWhole;
    await expectSizes(load({ source: mirror() }));
  });
});

describe('a download that fails leaves nothing in the cache', () => {
  afterEach(async () => {
    expect(await cached()).toEqual([]);
  });

  test.each([
    [404, 'Check that the address is right.'],
    [500, 'try again later'],
  ])('HTTP %i', async (status, remedy) => {
    answer = (response) => response.writeHead(status).end('sorry');
    await expect(load()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(new RegExp(`received ${status} .*${remedy}`)),
    });
  });

  test('no server', async () => {
    await expect(load({ source: 'http://127.0.0.1:1/a.tar.gz' })).rejects.toMatchObject({ code: 'download-failed' });
  });

  test('a connection that breaks off', async () => {
    answer = (response) => {
      response.setHeader('content-length', archive.length);
      response.write(archive.subarray(0, 5_000), () => response.destroy());
    };
    await expect(load()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('Check the network'),
    });
  });

  test('an abort before and during the download rejects with the reason', async () => {
    answer = (response) => void response.write(archive.subarray(0, 5_000));
    await expect(load({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect(server.requests()).toBe(0);
    const reason = new Error('the user went away');
    const controller = new AbortController();
    const loading = load({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(loading).rejects.toBe(reason);
  });

  test('a fetch that knows nothing of signals is aborted too', async () => {
    const controller = new AbortController();
    const stalled = new ReadableStream({ start: (stream) => stream.enqueue(archive.subarray(0, 10)) });
    const fetch = async () => new Response(stalled);
    setTimeout(() => controller.abort(), 20);
    await expect(load({ fetch, signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a stream that fails with an error of its own', async () => {
    const broken = new ReadableStream({
      pull(stream) {
        stream.enqueue(archive.subarray(0, 10));
        stream.error(new TypeError('terminated'));
      },
    });
    await expect(load({ fetch: async () => new Response(broken) })).rejects.toMatchObject({ code: 'download-failed' });
  });
});

test('a cache folder that is a file: a clear error', async () => {
  await writeFile(join(cacheDir, '..', 'file'), '');
  await expect(load({ cacheDir: join(cacheDir, '..', 'file') })).rejects.toMatchObject({
    code: 'file-system',
    message: expect.stringContaining('A part of this path is a file'),
  });
});

test('fetch is what downloads', async () => {
  const asked: string[] = [];
  const fetch = async (url: unknown) => {
    asked.push(String(url));
    return new Response(archive);
  };
  await expectSizes(load({ fetch }));
  expect(asked).toEqual([server.url]);
});
