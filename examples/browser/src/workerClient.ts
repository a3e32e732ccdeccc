import type { WorkerAnswer, WorkerEvent, WorkerEvents, WorkerMethods } from './protocol';

/** What the worker failed with. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';

  constructor(
    message: string,
    /** That of the library's error; undefined for any other. */
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

type Result<Name extends keyof WorkerMethods> = Awaited<ReturnType<WorkerMethods[Name]>>;

export interface WorkerClient {
  call<Name extends keyof WorkerMethods>(name: Name, ...args: Parameters<WorkerMethods[Name]>): Promise<Result<Name>>;
  on<Name extends keyof WorkerEvents>(name: Name, listener: (detail: WorkerEvents[Name]) => void): void;
}

interface Pending {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** Starts the worker that holds the library. */
export function startWorker(): WorkerClient {
  const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module' });
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, ((detail: never) => void)[]>();
  let calls = 0;
  let failure: WorkerFailure | undefined;

  worker.addEventListener('message', ({ data }: MessageEvent<WorkerAnswer | WorkerEvent>) => {
    if ('event' in data) {
      for (const listener of listeners.get(data.event) ?? []) listener(data.detail as never);
      return;
    }
    const call = pending.get(data.id);
    pending.delete(data.id);
    if (data.error) call?.reject(new WorkerFailure(data.error.message, data.error.code));
    else call?.resolve(data.result as never);
  });
  // A worker that failed may answer no more, or late: its calls are given up, and none is made any more.
  worker.addEventListener('error', ({ message }) => {
    failure ??= new WorkerFailure(`${message || 'The worker did not start'}. Load the page again.`, undefined);
    for (const { reject } of pending.values()) reject(failure);
    pending.clear();
  });

  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        const id = ++calls;
        pending.set(id, { resolve, reject });
        worker.postMessage(
          { id, method, args },
          args.filter((arg) => arg instanceof ImageBitmap),
        );
      }),
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener]);
    },
  };
}
