/** What a worker is told first; all threads but the first get their memory from it. */
export interface InitMessage {
  readonly kind: 'init';
  readonly id: number;
  readonly module: WebAssembly.Module;
  /** 64 kB each. */
  readonly memoryPages: number;
  /** To the first thread: a port to each of the others. To these: a port to the first. */
  readonly ports: readonly MessagePort[];
  /** For barriers; a thread that is alone has none. */
  readonly control: SharedArrayBuffer | undefined;
  readonly thread: number;
  readonly threads: number;
  readonly init: unknown;
}

/** Something for every thread's session to run. */
export interface RunMessage {
  readonly kind: 'run';
  readonly id: number;
  readonly command: unknown;
}

/** From the team to a worker; each is answered with its id. */
export type TeamMessage = InitMessage | RunMessage;

/** From a worker to the team. */
export type WorkerMessage =
  /** The worker's script runs. */
  | { readonly kind: 'ready' }
  /** The result comes from the first thread only. */
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | ({ readonly kind: 'failed' } & WorkerFailure);

/** An error, as plain strings: not every error can be posted, and none keeps its class. */
export interface WorkerFailure {
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a MobilenetError. */
  readonly code: string | undefined;
}
