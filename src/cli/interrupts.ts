import type { EventEmitter } from 'node:events';

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
