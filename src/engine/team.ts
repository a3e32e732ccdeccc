import { platform } from '#platform';
import { checkInteger, fail, failure, MobilenetError } from '../errors';
import type { EngineKernels } from '../kernels/engineKernels';
import { loadKernelModule, type SimdLevel } from '../kernels/wasmModule';
import { yieldToEventLoop } from '../platform/eventLoop';
import type { PlatformWorker } from '../platform/platform';
import { CONTROL_BYTES } from './barrier';
import { engineSettings } from './configureEngine';
import { WorkerGroup } from './workerGroup';
import { workerSource } from './workerSource.generated';

const PAGE_BYTES = 65_536;
const MAX_PAGES = 65_536;
const MAX_DEFAULT_THREADS = 8;

/** Generous: a page or a test run that is busy starts workers late. */
const START_TIMEOUT_MS = 10_000;

/** Options for {@link createTeam}. */
export interface TeamOptions {
  /**
   * Where memory cannot be shared there is one, and where some cannot start there are fewer.
   *
   * @default what the machine has, at most 8
   */
  threads?: number | undefined;
  /**
   * What sessions are started with, and the bytes of memory that they work in. It is told how many threads there are, and
   * given kernels that can be asked how much scratch memory they need.
   */
  prepare(threads: number, kernels: EngineKernels): TeamStart;
}

/** How the sessions of a team start. */
export interface TeamStart {
  init: object;
  /** What only the first thread's `init` has beside that: what is large, and needed once. */
  forFirst?: object;
  /** Moves to the first thread. */
  transfer?: Transferable[];
  memoryBytes: number;
}

/** Threads that run the same commands, each its share, on one memory. */
export interface Team {
  readonly threads: number;
  /** Which instructions the kernels use. */
  readonly module: SimdLevel;
  /** Of the WebAssembly memory. */
  readonly memoryBytes: number;
  /**
   * Has every thread run a command; resolves with the first thread's result when all are done. Commands run in the order
   * of the calls.
   *
   * @param forFirst what only the first thread's command has beside the rest: what is large, and needed once
   * @throws {MobilenetError} the code that a session failed with, or `engine-failed`; the team is then at its end
   */
  run(command: object, forFirst?: object): Promise<unknown>;
  /** Ends the threads, whatever they are doing; resolves when they are gone. May be called more than once. */
  dispose(): Promise<void>;
}

/** What the machine has, at most 8; 1 where workers cannot share memory. */
export function defaultThreads(): number {
  return platform.canShareMemory() ? Math.min(MAX_DEFAULT_THREADS, platform.processors()) : 1;
}

/**
 * Starts workers, each with a session of its own.
 *
 * @throws {MobilenetError} `engine-failed` where no worker can start, `out-of-memory`, `missing-backend`, and what
 * sessions fail with
 */
export async function createTeam(options: TeamOptions): Promise<Team> {
  const { threads = defaultThreads(), prepare } = options;
  checkInteger('createTeam', 'threads', threads, 1);
  const workers = await startWorkers(platform.canShareMemory() ? threads : 1);
  const count = workers.length;
  const control = count > 1 ? new SharedArrayBuffer(CONTROL_BYTES) : undefined;
  const group = new WorkerGroup(workers, control);
  try {
    const { module, name, kernels } = await loadKernelModule({ shared: count > 1 });
    const { init, forFirst, transfer = [], memoryBytes } = prepare(count, kernels);
    const memoryPages = pagesFor(memoryBytes);
    const ports = connectThreads(count);
    const common = { kind: 'init', module, memoryPages, control, threads: count } as const;
    await group.ask((thread, id) => ({
      message: { ...common, id, thread, ports: ports[thread]!, init: thread === 0 ? { ...init, ...forFirst } : init },
      transfer: thread === 0 ? [...ports[0]!, ...transfer] : ports[thread]!,
    }));
    return {
      threads: count,
      module: name,
      memoryBytes: memoryPages * PAGE_BYTES,
      run: (command, forFirst) =>
        group.ask((thread, id) => ({
          message: { kind: 'run', id, command: thread === 0 ? { ...command, ...forFirst } : command },
        })),
      dispose: () => group.end(disposed()),
    };
  } catch (error) {
    await group.end(error);
    throw error;
  }
}

/** Starts `count` workers and gives those that are ready. */
async function startWorkers(count: number): Promise<PlatformWorker[]> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, startWorker));
  const workers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  if (workers.length === 0) refuse((outcomes[0] as PromiseRejectedResult).reason);
  return workers;
}

async function startWorker(): Promise<PlatformWorker> {
  const worker = platform.startWorker(workerSource, engineSettings().createWorker);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      // Where this thread was held up for so long, the answer may be there, behind the timer.
      const giveUp = () => reject(`no answer within ${START_TIMEOUT_MS / 1000} seconds`);
      timer = setTimeout(() => yieldToEventLoop().then(giveUp), START_TIMEOUT_MS);
      worker.failure.then(reject);
      // Whatever it says first: it says that it is ready.
      worker.onMessage = () => resolve();
    });
    return worker;
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** For each thread the ports through which the first gives the others their memory. */
function connectThreads(threads: number): MessagePort[][] {
  const channels = Array.from({ length: threads - 1 }, () => new MessageChannel());
  return [channels.map(({ port1 }) => port1), ...channels.map(({ port2 }) => [port2])];
}

function pagesFor(bytes: number): number {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    fail({
      code: 'out-of-memory',
      where: 'The engine',
      expected: 'at most 4096 MB of WebAssembly memory to be needed',
      received: `${Math.ceil(bytes / 2 ** 20)} MB`,
      remedy: 'Take a smaller batch, smaller pictures or a smaller alpha.',
    });
  }
  return pages;
}

function refuse(reason: unknown): never {
  if (reason instanceof MobilenetError) throw reason;
  fail({
    code: 'engine-failed',
    where: 'The engine',
    expected: 'at least one worker to start',
    received: reason instanceof Error ? reason.message : String(reason),
    remedy:
      'Where a Content Security Policy forbids workers from blob: addresses, pass your own: ' +
      "configureEngine({ createWorker: () => new Worker(new URL('mobilenet-v1-ts/worker', import.meta.url), { type: 'module' }) }).",
    cause: reason,
  });
}

function disposed(): MobilenetError {
  return failure({
    code: 'engine-failed',
    where: 'The engine',
    expected: 'a team at work',
    received: 'a team that was disposed of',
  });
}
