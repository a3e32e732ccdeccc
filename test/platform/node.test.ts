import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { platform } from '../../src/platform/node';
import type { ByteStream } from '../../src/platform/platform';

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof fs>();
  const watched = { open: actual.open, readFile: actual.readFile, rename: actual.rename, mkdir: actual.mkdir };
  return {
    ...actual,
    ...Object.fromEntries(Object.entries(watched).map(([name, call]) => [name, vi.fn(call as never)])),
  };
});
// What waits for a file to be free waits for no time here.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'mobilenet-platform-'));
});
afterEach(async () => {
  vi.resetAllMocks();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await fs.rm(root, { recursive: true });
});

const streamOf = (...chunks: string[]): ByteStream => new Blob(chunks).stream() as ByteStream;
const textOf = async (stream: ByteStream | undefined) => stream && new Response(stream).text();
const systemError = (code: string, syscall: string) =>
  Object.assign(new Error(`${code}: simulated`), { code, syscall });

/** Lets the next write to any file fail as the operating system would. */
async function failNextWrite(code: string) {
  const handle = await fs.open(root);
  await handle.close();
  vi.spyOn(Object.getPrototypeOf(handle), 'writeFile').mockRejectedValueOnce(systemError(code, 'write'));
}

/** Lets the n-th rename from now on fail, the first being 0. */
async function failRename(n: number) {
  let renames = 0;
  const { rename } = await vi.importActual<typeof fs>('node:fs/promises');
  vi.mocked(fs.rename).mockImplementation(async (from, to) => {
    if (renames++ === n) throw systemError('EPERM', 'rename');
    return rename(from, to);
  });
}

describe('reading', () => {
  test('lists a folder, sorted; knows sizes; reads whole and as a stream', async () => {
    await fs.writeFile(join(root, 'b'), 'bytes');
    await fs.writeFile(join(root, 'a'), '');
    expect(await platform.listFolder(root)).toEqual(['a', 'b']);
    expect(await platform.fileSize(join(root, 'b'))).toBe(5);
    expect(new TextDecoder().decode(await platform.readFile(join(root, 'b')))).toBe('bytes');
    expect(await textOf(await platform.streamFile(join(root, 'b')))).toBe('bytes');
    expect(await textOf(await platform.streamFile(pathToFileURL(join(root, 'b')).href))).toBe('bytes');
  });

  test('a stream of a file larger than its chunks is that file', async () => {
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, i) => (i * 31) >> 7);
    await fs.writeFile(join(root, 'large'), bytes);
    const read = await new Response(await platform.streamFile(join(root, 'large'))).arrayBuffer();
    expect(Buffer.compare(new Uint8Array(read), bytes)).toBe(0);
  });

  test('a stream that is cancelled closes its file', async () => {
    await fs.writeFile(join(root, 'a'), 'bytes');
    const stream = await platform.streamFile(join(root, 'a'));
    const handle: fs.FileHandle = await vi.mocked(fs.open).mock.results.at(-1)!.value;
    expect(handle.fd).toBeGreaterThan(0);
    await stream.cancel();
    expect(handle.fd).toBe(-1);
  });

  test('what is not there is undefined, or a clear error where it is needed', async () => {
    const nowhere = join(root, 'nowhere');
    expect(await platform.listFolder(nowhere)).toBeUndefined();
    expect(await platform.fileSize(nowhere)).toBeUndefined();
    expect(await platform.fileSize(root)).toBeUndefined();
    for (const read of [platform.readFile(nowhere), platform.streamFile(nowhere)]) {
      await expect(read).rejects.toMatchObject({ code: 'file-system', message: expect.stringContaining(nowhere) });
    }
    await expect(textOf(await platform.streamFile(root))).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('give the path of a file'),
    });
  });
});

describe('paths that cannot be', () => {
  test.each(['file://host/x', 'file:///tmp/a%2Fb', 'file:///100% sure', 'a\0b'])(
    '%j is a clear error',
    async (path) => {
      const refused = { code: 'file-system', message: expect.stringContaining('Check the path') };
      await expect(platform.listFolder(path)).rejects.toMatchObject(refused);
      await expect(platform.readFile(path)).rejects.toMatchObject(refused);
      await expect(platform.readCache('name', path)).rejects.toMatchObject(refused);
    },
  );

  test('nor can a file of more than 2 GiB be read at once', async () => {
    const error = Object.assign(new RangeError('too large'), { code: 'ERR_FS_FILE_TOO_LARGE' });
    vi.mocked(fs.readFile).mockRejectedValueOnce(error);
    await expect(platform.readFile(join(root, 'large'))).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('less than 2 GiB'),
    });
  });
});

describe('writeFolder', () => {
  const files = new Map<string, string | Uint8Array>([
    ['weights.bin', new Uint8Array([1, 2, 3])],
    ['model.json', '{}'],
  ]);
  const contentOf = async (folder: string) => {
    const names = (await fs.readdir(folder)).sort();
    return Promise.all(names.map(async (name) => [name, await fs.readFile(join(folder, name), 'latin1')]));
  };

  test('creates folders as needed', async () => {
    await platform.writeFolder(join(root, 'a/b'), files);
    expect(await contentOf(join(root, 'a/b'))).toEqual([
      ['model.json', '{}'],
      ['weights.bin', '\x01\x02\x03'],
    ]);
    expect(await fs.readdir(join(root, 'a'))).toEqual(['b']);
  });

  test('replaces its own files and leaves others alone', async () => {
    await fs.mkdir(join(root, 'model/more'), { recursive: true });
    for (const name of ['notes.txt', 'model.json', 'more/notes.txt'])
      await fs.writeFile(join(root, 'model', name), name);
    await platform.writeFolder(join(root, 'model'), files);
    expect(await fs.readdir(join(root, 'model'))).toEqual(['model.json', 'more', 'notes.txt', 'weights.bin']);
    expect(await fs.readFile(join(root, 'model/notes.txt'), 'utf8')).toBe('notes.txt');
    expect(await fs.readFile(join(root, 'model/more/notes.txt'), 'utf8')).toBe('more/notes.txt');
    expect(await fs.readFile(join(root, 'model/model.json'), 'utf8')).toBe('{}');
  });

  test('a full disk leaves a new folder unmade and an old one as it was', async () => {
    await failNextWrite('ENOSPC');
    await expect(platform.writeFolder(join(root, 'new'), files)).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('Free some space'),
    });
    expect(await fs.readdir(root)).toEqual([]);

    await platform.writeFolder(join(root, 'old'), files);
    await failNextWrite('ENOSPC');
    await expect(platform.writeFolder(join(root, 'old'), new Map([['model.json', 'new']]))).rejects.toThrow('ENOSPC');
    expect(await contentOf(join(root, 'old'))).toContainEqual(['model.json', '{}']);
    expect(await fs.readdir(join(root, 'old'))).toEqual(['model.json', 'weights.bin']);
  });

  test.each([0, 1])('where rename %i fails, the folder is as it was', async (n) => {
    await platform.writeFolder(join(root, 'model'), files);
    const before = await contentOf(join(root, 'model'));
    await failRename(n);
    const next = new Map([
      ['more.bin', 'new'],
      ['model.json', 'new'],
    ]);
    await expect(platform.writeFolder(join(root, 'model'), next)).rejects.toMatchObject({ code: 'file-system' });
    expect(await contentOf(join(root, 'model'))).toEqual(before);
  });

  describe('on Windows', () => {
    const own = Object.getOwnPropertyDescriptor(process, 'platform')!;
    beforeEach(() => Object.defineProperty(process, 'platform', { ...own, value: 'win32' }));
    afterEach(() => Object.defineProperty(process, 'platform', own));

    test('a file that a scanner has open is replaced when it is free', async () => {
      const path = join(root, 'history.csv');
      await fs.writeFile(path, 'old');
      for (const code of ['EPERM', 'EBUSY', 'EACCES']) {
        vi.mocked(fs.rename).mockRejectedValueOnce(systemError(code, 'rename'));
      }
      await platform.replaceFile(path, 'new');
      expect(await fs.readFile(path, 'utf8')).toBe('new');
      expect(fs.rename).toHaveBeenCalledTimes(4);
    });

    test('one that is never free is an error in the end, and so is at once what waiting does not mend', async () => {
      const path = join(root, 'history.csv');
      for (const [code, times] of [
        ['EBUSY', 9],
        ['ENOSPC', 1],
      ] as const) {
        vi.mocked(fs.rename).mockReset().mockRejectedValue(systemError(code, 'rename'));
        await expect(platform.replaceFile(path, 'new')).rejects.toMatchObject({ code: 'file-system' });
        expect(fs.rename).toHaveBeenCalledTimes(times);
        expect(await fs.readdir(root)).toEqual([]);
      }
    });

    test('a file goes into the root of a drive, which cannot be made', async () => {
      vi.mocked(fs.mkdir).mockRejectedValueOnce(systemError('EPERM', 'mkdir'));
      await platform.replaceFile(join(root, 'model.onnx'), 'bytes');
      expect(await fs.readdir(root)).toEqual(['model.onnx']);
      vi.mocked(fs.mkdir).mockRejectedValueOnce(systemError('EPERM', 'mkdir'));
      await expect(platform.replaceFile(join(root, 'new/model.onnx'), 'bytes')).rejects.toThrow('EPERM');
    });
  });

  test('the last file takes the place of the old one when the others are there; what is unneeded goes last', async () => {
    await platform.writeFolder(join(root, 'model'), files);
    const { rename } = await vi.importActual<typeof fs>('node:fs/promises');
    const seen: string[][] = [];
    vi.mocked(fs.rename).mockImplementation(async (from, to) => {
      await rename(from, to);
      seen.push([
        await fs.readFile(join(root, 'model/model.json'), 'utf8'),
        ...(await fs.readdir(join(root, 'model'))),
      ]);
    });
    const next = new Map([
      ['more.bin', 'new'],
      ['model.json', 'new'],
    ]);
    await platform.writeFolder(join(root, 'model'), next, ['weights.bin', 'missing.bin']);
    expect(seen).toEqual([
      ['{}', 'model.json', 'more.bin', 'weights.bin'],
      ['new', 'model.json', 'more.bin', 'weights.bin'],
    ]);
    expect(await fs.readdir(join(root, 'model'))).toEqual(['model.json', 'more.bin']);
  });

  test('a file in the way is a clear error', async () => {
    await fs.writeFile(join(root, 'file'), 'kept');
    for (const folder of [join(root, 'file'), join(root, 'file/model')]) {
      await expect(platform.writeFolder(folder, files)).rejects.toMatchObject({ code: 'file-system' });
    }
    expect(await fs.readdir(root)).toEqual(['file']);
    expect(await fs.readFile(join(root, 'file'), 'utf8')).toBe('kept');
  });
});

describe('the cache', () => {
  test('keeps, gives back, replaces and deletes', async () => {
    const cache = join(root, 'cache');
    expect(await platform.canCache()).toBe(true);
    expect(await platform.readCache('name', cache)).toBeUndefined();
    await platform.writeCache('name', streamOf('one'), cache);
    await platform.writeCache('name', streamOf('two', ' chunks'), cache);
    expect(await textOf(await platform.readCache('name', cache))).toBe('two chunks');
    expect(await fs.readdir(cache)).toEqual(['name']);
    await platform.deleteCache('name', cache);
    await platform.deleteCache('name', cache);
    expect(await platform.readCache('name', cache)).toBeUndefined();
  });

  test.runIf(process.platform === 'linux')('lies where XDG_CACHE_HOME says', async () => {
    vi.stubEnv('XDG_CACHE_HOME', root);
    await platform.writeCache('name', streamOf('bytes'));
    expect(await fs.readdir(join(root, 'mobilenet-v1-ts'))).toEqual(['name']);
  });

  test('a stream that fails stores nothing, keeps what was there, and its error is thrown', async () => {
    await platform.writeCache('name', streamOf('whole'), root);
    const error = new Error('the stream broke');
    const broken: ByteStream = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(10));
        controller.error(error);
      },
    });
    await expect(platform.writeCache('name', broken, root)).rejects.toBe(error);
    expect(await fs.readdir(root)).toEqual(['name']);
    expect(await textOf(await platform.readCache('name', root))).toBe('whole');
  });

  test.each([
    ['ENOSPC', 'Free some space'],
    ['EDQUOT', 'quota'],
    ['EACCES', 'Choose a place that you may read and write'],
    ['EIO', 'Check the path and the disk.'],
  ])('%s stores nothing and says what to do', async (code, remedy) => {
    await failNextWrite(code);
    await expect(platform.writeCache('name', streamOf('bytes'), root)).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining(remedy),
    });
    expect(await fs.readdir(root)).toEqual([]);
  });

  test('a stream is cancelled where its file cannot even be opened', async () => {
    await fs.writeFile(join(root, 'file'), '');
    const cancel = vi.fn();
    const writing = platform.writeCache('name', new ReadableStream({ cancel }), join(root, 'file'));
    await expect(writing).rejects.toMatchObject({ code: 'file-system' });
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('what killed processes left is swept away, what others are writing is not', async () => {
    const [abandoned, inUse] = [0, 1].map((i) => `name.0000000${i}-0000-4000-8000-000000000000.tmp`);
    const notOurs = ['name.notes.tmp', 'other.00000000-0000-4000-8000-000000000000.tmp'];
    const yesterday = new Date(Date.now() - 86_400_000);
    for (const name of [abandoned!, ...notOurs]) {
      await fs.writeFile(join(root, name), '');
      await fs.utimes(join(root, name), yesterday, yesterday);
    }
    await fs.writeFile(join(root, inUse!), '');
    await platform.writeCache('name', streamOf('bytes'), root);
    expect(await fs.readdir(root)).toEqual(['name', inUse, ...notOurs]);
  });
});

test('SHA-256 in pieces is that of the whole', async () => {
  const sha256 = await platform.createSha256();
  for (const piece of ['a', 'b', 'c']) sha256.update(new TextEncoder().encode(piece));
  expect(await sha256.digest()).toBe(createHash('sha256').update('abc').digest('hex'));
});

describe('workers', () => {
  const echo = 'globalThis.serve = (port) => { port.onmessage = ({ data }) => port.postMessage(data); };';
  const failing = 'globalThis.serve = () => { throw new Error("broken"); };';

  test('a source is served on its own port; what it is sent comes back', async () => {
    const worker = platform.startWorker(echo);
    const answer = new Promise((resolve) => {
      worker.onMessage = resolve;
    });
    const bytes = Uint8Array.of(1, 2);
    worker.post(bytes, [bytes.buffer]);
    expect(await answer).toEqual(Uint8Array.of(1, 2));
    expect(bytes.buffer.byteLength).toBe(0);
    await worker.terminate();
    expect(await worker.failure).toContain('exit code 1');
  });

  test.each([
    ['throws', failing, 'broken'],
    ['ends', 'globalThis.serve = () => process.exit(7);', 'exit code 7'],
    ['is no script', 'no script', 'Unexpected identifier'],
  ])('one that %s says so', async (_, source, words) => {
    expect(String(await platform.startWorker(source).failure)).toContain(words);
  });

  test('one of your own takes its place', async () => {
    const own = new Worker('setInterval(() => {}, 1000)', { eval: true });
    const worker = platform.startWorker(failing, () => own);
    await worker.terminate();
    expect(own.threadId).toBe(-1);
    expect(() => platform.startWorker(echo, () => 'worker.js')).toThrow('a Worker of node:worker_threads');
  });

  test('the machine has processors, and its workers can share memory', () => {
    expect(platform.processors()).toBe(availableParallelism());
    expect(platform.canShareMemory()).toBe(true);
  });
});
