import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { arch, availableParallelism, cpus, type } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TransferListItem, Worker } from 'node:worker_threads';
import { check, fail, MobilenetError } from '../errors';
import {
  addFiles,
  codeOf,
  createFolder,
  makeFolder,
  orUndefined,
  removeAbandoned,
  removeFolder,
  sweepFolder,
  TEMPORARY,
  writeBeside,
} from './nodeFiles';
import { notAPicture } from './notAPicture';
import type { ByteStream, Platform, PlatformWorker } from './platform';
import { createTerminalBar } from './terminalBar';

/** A square of this side has as many pixels as a picture may have, by sharp's own limit; a tiny file can claim any. */
const SQUARE_SIDE = 0x3fff;
const MOST_PIXELS = SQUARE_SIDE ** 2;

const STREAM_CHUNK_BYTES = 1 << 20;

/** Files through node:fs; the cache is a folder where the operating system wants caches to be. */
export const platform: Platform = {
  name: 'node',

  listFolder: (path) => attempt(path, 'a folder that can be read', () => orUndefined(listSorted(toPath(path)))),

  // RAM disks of Windows have no real paths (nodejs/node#6861).
  realPath: async (path) => realpath(toPath(path)).catch(() => path),

  fileSize: (path) => attempt(path, 'a file that can be read', () => orUndefined(sizeOfFile(toPath(path)))),

  readFile: (path) => attempt(path, 'a file that can be read', () => readBytes(toPath(path))),

  streamFile: (path) =>
    attempt(path, 'a file that can be read', async () => streamHandle(path, await open(toPath(path)))),

  writeFolder: (path, files, unneeded = []) =>
    attempt(path, 'a folder that can be written', async () => {
      const folder = resolve(toPath(path));
      const before = await orUndefined(readdir(folder));
      if (before === undefined) await createFolder(folder, files);
      else await addFiles(folder, files, before);
      // What is left of the old is in nobody's way.
      for (const name of unneeded) await rm(join(folder, name), { force: true }).catch(() => {});
    }),

  replaceFile: (path, content) =>
    attempt(path, 'a file that can be written', async () => {
      const file = resolve(toPath(path));
      await makeFolder(dirname(file));
      await removeAbandoned(file);
      await writeBeside(file, content);
    }),

  folders: {
    list: (path) =>
      attempt(path, 'a folder that can be read', async () => {
        const names = await orUndefined(listSorted(toPath(path)));
        return names?.filter((name) => !TEMPORARY.test(name));
      }),
    read: (path) => attempt(path, 'a file that can be read', () => orUndefined(readBytes(toPath(path)))),
    create: (path, files) =>
      attempt(path, 'a folder that can be written', () => createFolder(resolve(toPath(path)), files)),
    remove: (path) => attempt(path, 'a folder that can be removed', () => removeFolder(resolve(toPath(path)))),
    isSame: (a, b) => resolve(toPath(a)) === resolve(toPath(b)),
    sweep: (path, prefix) =>
      attempt(path, 'a folder that can be written', () => sweepFolder(resolve(toPath(path)), prefix)),
  },

  canCache: async () => true,

  async readCache(name, directory) {
    const path = await cachePath(name, directory);
    return attempt(path, 'a cache that can be read', async () => {
      const handle = await orUndefined(open(path), ['ENOENT']);
      return handle && streamHandle(path, handle);
    });
  },

  async writeCache(name, bytes, directory) {
    const path = await cachePath(name, directory);
    await attempt(path, 'a cache that can be written', async () => {
      try {
        await makeFolder(dirname(path));
        await removeAbandoned(path);
        await writeBeside(path, bytes);
      } catch (error) {
        // A stream that was handed over is never left open: its source may hold a file or a connection.
        if (!bytes.locked) await bytes.cancel(error).catch(() => {});
        throw error;
      }
    });
  },

  async deleteCache(name, directory) {
    const path = await cachePath(name, directory);
    await attempt(path, 'a cache that can be written', () => rm(path, { force: true }));
  },

  async createSha256() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: async () => hash.digest('hex') };
  },

  async decodeImage(bytes, where) {
    const sharp = await loadSharp(where);
    // 'warning' is the strictest: below it, a damaged JPEG gives a picture with grey bars.
    const failOn = 'warning';
    try {
      const header = await sharp(bytes, { failOn, limitInputPixels: false }).metadata();
      checkPixels(header, where);
      const image = sharp(bytes, { failOn, limitInputPixels: MOST_PIXELS }).rotate();
      // sharp takes 16 bits with a profile for Display P3 where it is not told otherwise.
      if (header.space === 'rgb16') image.pipelineColourspace('srgb');
      const pixels = image.toColourspace('srgb').raw({ depth: 'uchar' });
      const { data, info } = await pixels.toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels };
    } catch (error) {
      if (error instanceof MobilenetError) throw error;
      notAPicture(where, error);
    }
  },

  messages: process.stderr,

  createBar: createTerminalBar,

  describe: () => ({
    runtime: `Node ${process.versions.node}`,
    system: `${type()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
  }),

  processors: availableParallelism,

  canShareMemory: () => typeof SharedArrayBuffer !== 'undefined',

  startWorker(source, createWorker) {
    if (createWorker !== undefined) return connectWorker(createWorker());
    const script = `${source}\nserve(require('node:worker_threads').parentPort);`;
    // The process's own flags (loaders, inspectors) are not for this worker.
    return connectWorker(new Worker(script, { eval: true, execArgv: [] }));
  },
};

function connectWorker(worker: unknown): PlatformWorker {
  check(worker instanceof Worker, {
    where: 'createWorker',
    expected: 'a Worker of node:worker_threads',
    received: worker,
  });
  const failure = new Promise<unknown>((resolve) => {
    worker.on('error', resolve);
    worker.on('messageerror', resolve);
    worker.on('exit', (code) => resolve(`the end of the worker, with exit code ${code}`));
  });
  const connected: PlatformWorker = {
    onMessage: () => {},
    failure,
    post: (message, transfer) => worker.postMessage(message, transfer as TransferListItem[] | undefined),
    terminate: async () => void (await worker.terminate()),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
  };
  worker.on('message', (data) => connected.onMessage(data));
  return connected;
}

/** Throws `invalid-data` for a picture that takes too much memory to decode. */
function checkPixels({ width, height }: { width: number; height: number }, where: string): void {
  if (width * height <= MOST_PIXELS) return;
  fail({
    code: 'invalid-data',
    where,
    expected: `a picture of at most ${MOST_PIXELS} pixels, as ${SQUARE_SIDE} x ${SQUARE_SIDE} has`,
    received: `${width} x ${height}`,
    remedy: 'Save it in a smaller size; classifiers look at a few hundred pixels a side.',
  });
}

/** On use: most apps need no decoder, and it is as large as the rest of them. */
async function loadSharp(where: string) {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    fail({
      code: 'missing-backend',
      where,
      expected: 'the package sharp, which decodes JPEG and PNG files',
      received: (error as Error).message,
      remedy: 'Run: npm install sharp (or pass pixels in place of a file).',
      cause: error,
    });
  }
}

function toPath(path: string): string {
  return /^file:/i.test(path) ? fileURLToPath(path) : path;
}

async function cachePath(name: string, directory: string | undefined): Promise<string> {
  if (directory !== undefined) return attempt(directory, 'a folder', async () => join(toPath(directory), name));
  // env-paths is an ES module only; import() is what a CommonJS build can reach it with.
  const { default: envPaths } = await import('env-paths');
  return join(envPaths('mobilenet-v1-ts', { suffix: '' }).cache, name);
}

async function listSorted(path: string): Promise<string[]> {
  return (await readdir(path)).sort();
}

async function sizeOfFile(path: string): Promise<number | undefined> {
  const stats = await stat(path);
  return stats.isFile() ? stats.size : undefined;
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function streamHandle(path: string, handle: FileHandle): ByteStream {
  const read = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const chunk = new Uint8Array(STREAM_CHUNK_BYTES);
    let bytesRead = 0;
    try {
      bytesRead = (await handle.read(chunk)).bytesRead;
    } finally {
      if (bytesRead === 0) await handle.close();
    }
    if (bytesRead === 0) controller.close();
    else controller.enqueue(chunk.subarray(0, bytesRead));
  };
  return new ReadableStream(
    {
      pull: (controller) => attempt(path, 'a file that can be read', () => read(controller)),
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
}

/** Node's own errors for paths that cannot be, which no system call has seen, and for files that are too large. */
const NODE_ERRORS = /^ERR_(INVALID_(FILE_)?URL|INVALID_ARG_VALUE|FS_)/;

/** Of the file system, or of a path; a `%` in a `file:` URL that stands for no character has no code. */
function isOfFiles(error: Error): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined || NODE_ERRORS.test(codeOf(error) ?? '') || error instanceof URIError;
}

/** Words the errors of the operating system and of Node anew; others, those of a stream that was being written, pass. */
async function attempt<T>(path: string, expected: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error && isOfFiles(error))) throw error;
    fail({
      code: 'file-system',
      where: path,
      expected,
      received: error.message,
      remedy: REMEDIES[codeOf(error) ?? ''] ?? 'Check the path and the disk.',
      cause: error,
    });
  }
}

const REMEDIES: Record<string, string> = {
  ENOSPC: 'Free some space on this disk, or choose a folder on another one.',
  EDQUOT: 'Your disk quota is used up: free some space, or choose a folder on another disk.',
  EACCES: 'Choose a place that you may read and write, or change its permissions.',
  EPERM: 'Choose a place that you may read and write, or change its permissions.',
  EROFS: 'This disk is read-only: choose a folder on another one.',
  ENOENT: 'Check that the path is right.',
  ENOTDIR: 'A part of this path is a file: choose a path of folders.',
  EEXIST: 'There is a file of that name where a folder should be: remove it, or choose another path.',
  EISDIR: 'This is a folder: give the path of a file.',
  ERR_FS_FILE_TOO_LARGE: 'Give a file of less than 2 GiB.',
};
