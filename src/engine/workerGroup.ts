import { failure, MobilenetError, type MobilenetErrorCode } from '../errors';
import type { PlatformWorker } from '../platform/platform';
import { endBarriers } from './barrier';
import type { TeamMessage, WorkerFailure, WorkerMessage } from './workerMessages';

/** What one worker is sent. */
export interface Letter {
  readonly message: TeamMessage;
  readonly transfer?: Transferable[];
}

interface Question {
  /** Workers that have not answered yet. */
  missing: number;
  result: unknown;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

/** Workers that answer together, or end together: the failure of one is the end of all. */
export class WorkerGroup {
  readonly #workers: readonly PlatformWorker[];
  readonly #control: SharedArrayBuffer | undefined;
  readonly #questions = new Map<number, Question>();
  #lastId = 0;
  #end: { reason: unknown; gone: Promise<void> } | undefined;

  /** `control` is what the workers' barriers share. */
  constructor(workers: readonly PlatformWorker[], control: SharedArrayBuffer | undefined) {
    this.#workers = workers;
    this.#control = control;
    workers.forEach((worker, thread) => {
      worker.onMessage = (message) => this.#receive(thread, message as WorkerMessage);
      worker.failure.then((reason) => this.end(lostThread(thread, reason)));
    });
  }

  /** Sends each worker its letter; resolves with the first one's result when all have answered. */
  ask(letterTo: (thread: number, id: number) => Letter): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end.reason);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      if (this.#questions.size === 0) this.#keepAlive(true);
      this.#questions.set(id, { missing: this.#workers.length, result: undefined, resolve, reject });
      try {
        // The first worker last: what is transferred to it can then no longer be copied for the others.
        for (let thread = this.#workers.length - 1; thread >= 0; thread--) {
          const { message, transfer } = letterTo(thread, id);
          this.#workers[thread]!.post(message, transfer);
        }
      } catch (error) {
        // Those that got theirs would wait at a barrier for those that did not.
        this.end(unsent(error));
      }
    });
  }

  /** Terminates all workers, and rejects what is asked and what will be with `reason`; resolves when they are gone. */
  end(reason: unknown): Promise<void> {
    if (this.#end) return this.#end.gone;
    endBarriers(this.#control);
    const gone = Promise.all(this.#workers.map((worker) => worker.terminate())).then(() => {});
    this.#end = { reason, gone };
    for (const { reject } of this.#questions.values()) reject(reason);
    this.#questions.clear();
    return gone;
  }

  #receive(thread: number, message: WorkerMessage): void {
    if (message.kind === 'failed') this.end(threadError(thread, message));
    if (message.kind !== 'done') return;
    const question = this.#questions.get(message.id);
    if (question === undefined) return;
    if (thread === 0) question.result = message.result;
    question.missing -= 1;
    if (question.missing > 0) return;
    this.#questions.delete(message.id);
    if (this.#questions.size === 0) this.#keepAlive(false);
    question.resolve(question.result);
  }

  #keepAlive(on: boolean): void {
    for (const worker of this.#workers) worker.keepAlive(on);
  }
}

/** The error that a session threw, as it was where it is one of this library's. */
function threadError(thread: number, { message, stack, code }: WorkerFailure): MobilenetError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  if (code !== undefined) return new MobilenetError(code as MobilenetErrorCode, message, { cause });
  return lostThread(thread, cause);
}

function lostThread(thread: number, reason: unknown): MobilenetError {
  return failure({
    code: 'engine-failed',
    where: `The engine's thread ${thread + 1}`,
    expected: 'an answer',
    received: reason instanceof Error ? reason.message : String(reason),
    cause: reason,
  });
}

function unsent(error: unknown): MobilenetError {
  return failure({
    code: 'invalid-argument',
    where: 'The engine',
    expected: 'a command that can be posted to a worker',
    received: String(error),
    cause: error,
  });
}
