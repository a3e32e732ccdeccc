import type { EventEmitter } from 'node:events';
import { addAbortSignal, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

/**
 * Within this time a second signal is likely the first one again: a terminal interrupts npx and this process alike, and
 * npx hands it on.
 */
const ECHO_MS = 1000;

/**
 * Aborted by the first Ctrl-C, or by the signal that asks a process to end.
 *
 * @param quit called at the next one that is no echo
 */
export function abortOnSignals(source: Pick<EventEmitter, 'on'>, quit: () => void): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - first > ECHO_MS) quit();
      return;
    }
    first = performance.now();
    controller.abort();
  };
  source.on('SIGINT', onSignal);
  source.on('SIGTERM', onSignal);
  return controller.signal;
}

/** Throws the signal's reason where it was aborted, also by a Ctrl-C in a computation that kept the thread until now. */
export async function throwIfInterrupted(signal: AbortSignal): Promise<void> {
  // The first turn may end a round of the event loop that began before Ctrl-C came; the second has looked for it.
  await setImmediate();
  await setImmediate();
  signal.throwIfAborted();
}

/** Makes an abort end a stream: whoever reads it gets the error. */
export function endOnAbort(signal: AbortSignal, stream: Readable): Readable {
  // Aborted before, it fails before there is a reader, and an error that nobody listens to ends the process.
  return addAbortSignal(
    signal,
    stream.on('error', () => {}),
  );
}
