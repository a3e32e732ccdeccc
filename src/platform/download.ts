import { platform } from '#platform';
import { fail } from '../errors';
import type { ByteStream } from './platform';

type Bytes = Uint8Array<ArrayBuffer>;

/** Options for {@link download}. */
export interface DownloadOptions {
  /** @default globalThis.fetch */
  fetch?: typeof globalThis.fetch | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the bytes that have come so far, and with their final number where the server tells it. */
  onProgress?: ((loaded: number, total: number | undefined) => void) | undefined;
}

/** What a file must be. */
export interface Checksum {
  /** Bytes. */
  size: number;
  /** 64 lower-case hexadecimal digits. */
  sha256: string;
}

/**
 * The bytes at an address, piece by piece.
 *
 * @throws {MobilenetError} `download-failed` where the network or the server fails, at any point of the stream; the
 * signal's own reason where it was aborted.
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<ByteStream> {
  const { fetch = globalThis.fetch, signal, onProgress } = options;
  const response = await networkErrors(url, signal, () => fetch(url, signal ? { signal } : {}));
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    fail({
      code: 'download-failed',
      where: url,
      expected: 'HTTP status 200 and a file',
      received: `${response.status} ${response.statusText}`.trim(),
      remedy:
        response.status >= 500 ? 'The server has a problem: try again later.' : 'Check that the address is right.',
    });
  }
  const reader = response.body.getReader();
  const stream: ByteStream = new ReadableStream({
    async pull(controller) {
      const { done, value } = await networkErrors(url, signal, () => reader.read());
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return stream.pipeThrough(
    countBytes((loaded) => onProgress?.(loaded, contentLength(response))),
    signal ? { signal } : {},
  );
}

/** All bytes at an address; fails as {@link download} does. */
export async function downloadBytes(url: string, options: DownloadOptions = {}): Promise<Bytes> {
  return readAll(await download(url, options));
}

/**
 * All bytes of a stream. In place of `new Response(stream).arrayBuffer()`, which in Chromium rejects with an error of its own
 * whatever the stream failed with.
 */
export async function readAll(stream: ByteStream): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const chunk of piecesOf(stream)) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** What comes out of a stream, which is cancelled where the loop ends early; Safari's streams do not go into `for await`. */
export async function* piecesOf<T>(stream: ReadableStream<T>): AsyncGenerator<T, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) yield value!;
  } finally {
    await reader.cancel();
  }
}

/** Calls back with the number of bytes that went through so far. */
export function countBytes(onProgress: (loaded: number) => void): TransformStream<Bytes, Bytes> {
  let loaded = 0;
  return new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.length;
      onProgress(loaded);
      controller.enqueue(chunk);
    },
  });
}

/**
 * Lets bytes through and fails before the end unless they are what `expected` says.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export async function verifyBytes(where: string, expected: Checksum): Promise<TransformStream<Bytes, Bytes>> {
  const sha256 = await platform.createSha256();
  const refuse = (what: string, received: string): never =>
    fail({
      code: 'invalid-data',
      where,
      expected: what,
      received,
      remedy: 'The file is damaged or another one: download it again, or pass { verify: false } if you trust it.',
    });
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > expected.size) refuse(`${expected.size} bytes`, 'more than that');
      sha256.update(chunk);
      controller.enqueue(chunk);
    },
    async flush() {
      if (size < expected.size) refuse(`${expected.size} bytes`, `${size}`);
      const digest = await sha256.digest();
      if (digest !== expected.sha256) refuse(`SHA-256 ${expected.sha256}`, digest);
    },
  });
}

/** The final number of bytes; unknown where the server compresses on the way, for then it counts other bytes. */
function contentLength({ headers }: Response): number | undefined {
  const length = Number(headers.get('content-length') ?? Number.NaN);
  return headers.has('content-encoding') || Number.isNaN(length) ? undefined : length;
}

async function networkErrors<T>(url: string, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    signal?.throwIfAborted();
    // undici says "fetch failed" and keeps what happened in the cause.
    const { cause } = error as Error;
    fail({
      code: 'download-failed',
      where: url,
      expected: 'a download',
      received: cause instanceof Error ? `${error} (${cause.message})` : String(error),
      remedy: 'Check the network and the address; in a browser, the server must allow other origins (CORS).',
      cause: error,
    });
  }
}
