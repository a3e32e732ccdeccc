import { failure, MobilenetError } from '../errors';
import type { EngineKernels } from '../kernels/engineKernels';
import { createBarrier, endBarriers } from './barrier';
import type { InitMessage, TeamMessage, WorkerFailure, WorkerMessage } from './workerMessages';

/** What a worker hears from and speaks to: `self` in browsers, `parentPort` in Node. */
export interface WorkerPort {
  onmessage: unknown;
  onmessageerror: unknown;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** One thread's view of a team. */
export interface WorkerEnvironment {
  readonly kernels: EngineKernels;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
  /** Returns once every thread has called it. */
  barrier(): void;
}

/** One thread's part of a team. */
export interface TeamSession<Command> {
  /** Answers a command; the results of all threads but the first are dropped. */
  run(command: Command): unknown;
  /** What need not be done before the team counts as started. */
  afterStart?(): void;
}

/** Makes what answers a team's commands. */
export type CreateSession<Init, Command> = (environment: WorkerEnvironment, init: Init) => TeamSession<Command>;

/** A worker's whole life: makes a session and runs what the team asks of it, until it is terminated. */
export function serveTeam<Init, Command>(port: WorkerPort, createSession: CreateSession<Init, Command>): void {
  let thread: { session: TeamSession<Command>; barrier: () => void } | undefined;
  let control: SharedArrayBuffer | undefined;
  let isFirst = false;

  const tell = (message: WorkerMessage, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  const fail = (error: unknown) => {
    // A thread that fails because another one ended the team has nothing to add.
    if (endBarriers(control)) tell({ kind: 'failed', ...describe(error) });
  };

  const start = async (message: InitMessage) => {
    control = message.control;
    isFirst = message.thread === 0;
    const environment = await createEnvironment(message);
    thread = { session: createSession(environment, message.init as Init), barrier: environment.barrier };
  };

  const run = (command: Command) => {
    const result = thread!.session.run(command);
    // Nobody begins the next command while another thread is at this one.
    thread!.barrier();
    return result;
  };

  port.onmessage = async ({ data }: { data: TeamMessage }) => {
    try {
      const result = data.kind === 'init' ? await start(data) : run(data.command as Command);
      tell({ kind: 'done', id: data.id, result: isFirst ? result : undefined }, isFirst ? transferable(result) : []);
      if (data.kind === 'init') thread!.session.afterStart?.();
    } catch (error) {
      fail(error);
    }
  };
  port.onmessageerror = () => fail(new Error('a message that cannot be read'));
  tell({ kind: 'ready' });
}

async function createEnvironment(message: InitMessage): Promise<WorkerEnvironment> {
  const { module, control, thread, threads } = message;
  const memory = await openMemory(message);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { kernels: exports as unknown as EngineKernels, memory, thread, barrier: createBarrier(control, threads) };
}

/**
 * The first thread makes the memory and hands it to the others. The main thread never holds it: there it would stay until
 * some garbage collection, which shared memory does not hasten; like this it is gone with the last worker.
 */
async function openMemory({ memoryPages, ports, thread, threads }: InitMessage): Promise<WebAssembly.Memory> {
  if (thread > 0) {
    const [port] = ports;
    return new Promise((resolve) => {
      port!.onmessage = ({ data }) => {
        port!.close();
        resolve(data);
      };
    });
  }
  const memory = allocate(memoryPages, threads > 1);
  for (const port of ports) port.postMessage(memory);
  return memory;
}

function allocate(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw failure({
      code: 'out-of-memory',
      where: 'The engine',
      expected: `room for ${Math.ceil(pages / 16)} MB of WebAssembly memory`,
      received: String(cause),
      remedy: 'Take a smaller batch, smaller pictures or a smaller alpha.',
      cause,
    });
  }
}

/** A typed array goes without a copy. */
function transferable(result: unknown): Transferable[] {
  return ArrayBuffer.isView(result) && result.buffer instanceof ArrayBuffer ? [result.buffer] : [];
}

function describe(error: unknown): WorkerFailure {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  return { message, stack, code: error instanceof MobilenetError ? error.code : undefined };
}
