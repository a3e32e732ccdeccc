/**
 * Calls that run one after the other, in the order in which they were made.
 *
 * One that fails does not stop those behind it, and one that is given up (aborted, or the queue is closed) rejects at once:
 * it never runs, or, where it is running already, its result is dropped and the next one still waits for its end.
 */
export class CallQueue {
  private readonly pending = new Set<AbortController>();
  private readonly watched = new Map<AbortSignal, WatchedSignal>();
  /** Settled when the last call is through. */
  private tail: Promise<unknown> = Promise.resolve();
  private closed: { reason: unknown } | undefined;

  /**
   * @param begin called at once, with a signal that is aborted when the call is given up; what it returns is called when
   * the call's turn has come
   */
  async add<T>(begin: (signal: AbortSignal) => () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.closed) throw this.closed.reason;
    signal?.throwIfAborted();
    const givenUp = new AbortController();
    this.pending.add(givenUp);
    if (signal) this.watch(signal, givenUp);
    try {
      const run = begin(givenUp.signal);
      const result = this.tail.then(() => {
        givenUp.signal.throwIfAborted();
        return run();
      });
      this.tail = result.catch(() => {});
      return await untilAborted(result, givenUp.signal);
    } finally {
      this.pending.delete(givenUp);
      if (signal) this.unwatch(signal, givenUp);
    }
  }

  /** Gives up all calls with this reason, and refuses those to come; resolves when the one that is running has ended. */
  async close(reason: unknown): Promise<void> {
    this.closed ??= { reason };
    for (const givenUp of this.pending) givenUp.abort(this.closed.reason);
    await this.tail;
  }

  private watch(signal: AbortSignal, givenUp: AbortController): void {
    let watched = this.watched.get(signal);
    if (!watched) {
      const calls = new Set<AbortController>();
      watched = { calls, onAbort: () => calls.forEach((call) => void call.abort(signal.reason)) };
      this.watched.set(signal, watched);
      signal.addEventListener('abort', watched.onAbort);
    }
    watched.calls.add(givenUp);
  }

  private unwatch(signal: AbortSignal, givenUp: AbortController): void {
    const { calls, onAbort } = this.watched.get(signal)!;
    calls.delete(givenUp);
    if (calls.size > 0) return;
    signal.removeEventListener('abort', onAbort);
    this.watched.delete(signal);
  }
}

/** The calls that go with a signal: one listener for all of them, because Node warns of more than ten. */
interface WatchedSignal {
  readonly calls: Set<AbortController>;
  readonly onAbort: () => void;
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as that is aborted. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
