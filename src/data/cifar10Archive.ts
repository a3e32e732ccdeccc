import type { ParsedTarEntry } from 'modern-tar';
import { fail, MobilenetError } from '../errors';
import { piecesOf } from '../platform/download';
import type { ByteStream } from '../platform/platform';
import {
  CIFAR_10_FILES,
  CIFAR_10_FOLDER,
  type Cifar10,
  type Cifar10Assembler,
  checkFileSize,
  createCifar10Assembler,
} from './cifar10Format';

/** What the official archive holds beside the pictures; nothing in it is needed. */
const OTHER_FILES = ['batches.meta.txt', 'readme.html'];

/** Options for {@link readCifar10Archive}. */
export interface ReadCifar10ArchiveOptions {
  /** Names the archive in errors. */
  where: string;
  recordsPerFile: number;
  signal?: AbortSignal | undefined;
}

/**
 * Reads a `cifar-10-binary.tar.gz` as it streams by; one file of it is in memory at a time, and nothing is written.
 *
 * @throws {MobilenetError} `invalid-data` where it is no such archive; errors of the stream itself, and the signal's
 * reason, pass.
 */
export async function readCifar10Archive(bytes: ByteStream, options: ReadCifar10ArchiveOptions): Promise<Cifar10> {
  const { where, recordsPerFile, signal } = options;
  // modern-tar is an ES module only; import() is what a CommonJS build can reach it with.
  const { createTarDecoder } = await import('modern-tar');
  const assembler = createCifar10Assembler(recordsPerFile);
  const fileBuffer = new Uint8Array(assembler.fileBytes);
  try {
    const entries = bytes
      .pipeThrough(new DecompressionStream('gzip'), signal ? { signal } : {})
      .pipeThrough(createTarDecoder({ strict: true }));
    for await (const entry of piecesOf(entries)) await readEntry(entry, assembler, fileBuffer, where);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MobilenetError) throw error;
    // Node 22 and later keep what zlib said in the cause.
    const { message, cause } = error as Error;
    fail({
      code: 'invalid-data',
      where,
      expected: 'a whole tar archive, compressed with gzip',
      received: `something else (${cause instanceof Error ? cause.message : message})`,
      remedy: 'The file is truncated, damaged or of another kind: get it again.',
      cause: error,
    });
  }
  return assembler.finish(where);
}

async function readEntry(entry: ParsedTarEntry, assembler: Cifar10Assembler, fileBuffer: Uint8Array, where: string) {
  const { name, type, size } = entry.header;
  const file = checkMember(where, name, type ?? 'file');
  // Drained, for body.cancel() of a small member cuts off the next one (modern-tar 0.8.6).
  if (!CIFAR_10_FILES.includes(file)) return entry.body.pipeTo(new WritableStream());
  checkFileSize(`${where}, ${file}`, size, assembler.fileBytes);
  let filled = 0;
  for await (const chunk of piecesOf(entry.body)) {
    fileBuffer.set(chunk, filled);
    filled += chunk.length;
  }
  assembler.add(file, fileBuffer.subarray(0, filled), `${where}, ${file}`);
}

/**
 * The name of a member within the folder; anything that the official archive does not hold is refused. Archives of `tar .`
 * begin every name with './'.
 */
function checkMember(where: string, name: string, type: string): string {
  const path = name.replace(/^\.\//, '');
  if (type === 'directory' && ['', CIFAR_10_FOLDER].includes(path.replace(/\/$/, ''))) return '';
  const [folder, file = '', ...deeper] = path.split('/');
  const known = CIFAR_10_FILES.includes(file) || OTHER_FILES.includes(file);
  if (type === 'file' && folder === CIFAR_10_FOLDER && known && deeper.length === 0) return file;
  fail({
    code: 'invalid-data',
    where,
    expected: `an archive of ${CIFAR_10_FOLDER}/ with ${[...CIFAR_10_FILES, ...OTHER_FILES].join(', ')}`,
    received: `a ${type} named ${name}`,
    remedy: 'Get the binary version of CIFAR-10, not the Python or Matlab one.',
  });
}
