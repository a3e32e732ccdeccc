/** Bytes that arrive piece by piece. */
export type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

/** A SHA-256 that takes its input in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array<ArrayBuffer>): void;
  /** 64 lower-case hexadecimal digits. */
  digest(): Promise<string>;
}

/**
 * What Node and browsers do differently. Each has a twin that implements it (`node.ts`, `browser.ts`); the rest of the
 * library imports `#platform` and never knows which one it got. In a browser the methods that take paths throw. In Node
 * a path may also be a `file:` URL. What goes wrong with a file is a MobilenetError with the code `file-system`.
 */
export interface Platform {
  readonly name: 'node' | 'browser';
  /** The names in a folder, sorted; undefined where the path is no folder. */
  listFolder(path: string): Promise<string[] | undefined>;
  /** Size in bytes; undefined where there is no such file. */
  fileSize(path: string): Promise<number | undefined>;
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes of a file, piece by piece. */
  streamFile(path: string): Promise<ByteStream>;
  /**
   * Puts files into a folder, all of them or none: whatever interrupts it, what was there before is still there.
   * Files of other names in that folder stay as they are. The last file should be the one that vouches for the others
   * (a manifest): it goes first and comes last, so that even a killed process leaves no mixture of old and new.
   */
  writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void>;
  /** Whether there is a cache; browsers have none on an insecure page. */
  canCache(): Promise<boolean>;
  /** Bytes in the cache, or undefined. `directory` takes the place of the platform's own cache folder. */
  readCache(name: string, directory?: string): Promise<ByteStream | undefined>;
  /** Puts a stream into the cache; where the stream fails, nothing is stored and its error is thrown. */
  writeCache(name: string, bytes: ByteStream, directory?: string): Promise<void>;
  deleteCache(name: string, directory?: string): Promise<void>;
  createSha256(): Promise<Sha256>;
}
