/** Bytes that arrive piece by piece. */
export type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

/** A SHA-256 that takes its input in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array<ArrayBuffer>): void;
  /** 64 lower-case hexadecimal digits. */
  digest(): Promise<string>;
}

/** A picture out of a file: H x W pixels of C bytes. */
export interface DecodedImage {
  /** `[H,W,C]`, row-major. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 3 for RGB, 4 for RGB and alpha. */
  readonly channels: number;
}

/** A worker, as both kinds can be used alike. */
export interface PlatformWorker {
  /** Called with what the worker posts. */
  onMessage: (data: unknown) => void;
  /** Resolves with what went wrong: it threw, could not be loaded, ended by itself, or posted what cannot be read. */
  readonly failure: Promise<unknown>;
  post(message: unknown, transfer?: Transferable[]): void;
  /** Ends it at once, whatever it is doing; resolves when it is gone. */
  terminate(): Promise<void>;
  /** Whether it keeps a Node process from ending; at first it does. */
  keepAlive(on: boolean): void;
}

/**
 * Folders that are written once, as a whole, and removed as a whole: on the disk in Node, in the origin private file
 * system in browsers, where a path starts at the root of that.
 */
export interface FolderStore {
  /** The names in a folder, sorted, but for what interrupted calls left; undefined where there is no such folder. */
  list(path: string): Promise<string[] | undefined>;
  /** The bytes of a file; undefined where there is no such file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Makes a new folder of these files. Whatever interrupts it, even a killed process, there is the whole folder or none. */
  create(path: string, files: ReadonlyMap<string, Uint8Array<ArrayBuffer> | string>): Promise<void>;
  /** Likewise; nothing happens where there is no such folder. */
  remove(path: string): Promise<void>;
  /** Whether two paths lead to the same place, as far as the paths themselves tell. */
  isSame(a: string, b: string): boolean;
  /** Removes what interrupted calls left in a folder, of folders whose names begin with `prefix`. */
  sweep(path: string, prefix: string): Promise<void>;
}

/** Where lines for people go: a stream of Node's, or anything that takes text. */
export interface TextOutput {
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined;
}

/** A bar in a terminal. */
export interface ProgressBar {
  /** `progress` in [0, 1]; `values` fill the gaps of the bar's format. */
  show(progress: number, values: Readonly<Record<string, string | number>>): void;
  /** Clears the line and gives the cursor back; `show` brings the bar back. */
  hide(): void;
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
  /** The absolute path of what is there, its symbolic links followed. */
  realPath(path: string): Promise<string>;
  /** Size in bytes; undefined where there is no such file. */
  fileSize(path: string): Promise<number | undefined>;
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes of a file, piece by piece. */
  streamFile(path: string): Promise<ByteStream>;
  /**
   * Puts files into a folder. The last is the one that names the others, a manifest, and takes the place of an older one in a
   * single step when the others are there: where those have names that the older one does not name, whatever interrupts it,
   * even a killed process, leaves what was there before or all that is new. Then it removes `unneeded`. Files of other names
   * stay as they are.
   */
  writeFolder(
    folder: string,
    files: ReadonlyMap<string, Uint8Array | string>,
    unneeded?: readonly string[],
  ): Promise<void>;
  /** Puts one file in the place of what has its name, which stands for a whole file at every moment; makes its folder. */
  replaceFile(path: string, content: Uint8Array | string): Promise<void>;
  /** The one place for files that browsers have too. */
  readonly folders: FolderStore;
  /** Whether there is a cache; browsers have none on an insecure page. */
  canCache(): Promise<boolean>;
  /** Bytes in the cache, or undefined. `directory` takes the place of the platform's own cache folder. */
  readCache(name: string, directory?: string): Promise<ByteStream | undefined>;
  /** Puts a stream into the cache; where the stream fails, nothing is stored and its error is thrown. */
  writeCache(name: string, bytes: ByteStream, directory?: string): Promise<void>;
  deleteCache(name: string, directory?: string): Promise<void>;
  createSha256(): Promise<Sha256>;
  /**
   * The picture in the bytes of a JPEG or PNG file, or another that the decoder takes (in Node `sharp`, an optional peer
   * dependency): 8 bits sRGB, turned upright as EXIF says, the first frame of an animation.
   *
   * @throws {MobilenetError} `invalid-data` where the bytes are no picture, or a broken one; `missing-backend` where
   * there is no `sharp`.
   */
  decodeImage(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<DecodedImage>;
  /** Where people read along: standard error in Node, the console in browsers. */
  readonly messages: TextOutput;
  /**
   * A bar with gaps in braces (`{bar}`, `{percentage}` and those of `values`), or why there is none: the output is no
   * terminal, or `cli-progress` (an optional peer dependency) is not installed.
   */
  createBar(output: TextOutput, format: string): Promise<ProgressBar | { missing: string }>;
  /** What this runs on, for people: runtime, system, processor. */
  describe(): Readonly<Record<string, string | number>>;
  /** Logical processors that this process may use. */
  processors(): number;
  /** Whether workers can share a memory; browsers allow it on cross-origin isolated pages only. */
  canShareMemory(): boolean;
  /**
   * Starts a worker: the one that `createWorker` gives, or else one from a source that makes `serve` a global function,
   * which is then called with the worker's own port.
   */
  startWorker(source: string, createWorker?: () => unknown): PlatformWorker;
}
