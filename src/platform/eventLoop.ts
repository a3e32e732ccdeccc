/** How long a computation may keep the thread before others have their turn. */
const SLICE_MS = 8;

/** When the event loop last had its turn through this file. */
let lastTurn = Number.NEGATIVE_INFINITY;

/**
 * Lets timers, input and signals have their turn between two steps.
 *
 * A message channel, because a timer is held back to once a second in a hidden tab and an animation frame stops there.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      lastTurn = performance.now();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * Takes the steps 0 to `count - 1`, and lets the event loop have its turn every 8 ms.
 *
 * The time is counted over all callers: a hundred short computations, one after the other, block as one long one does.
 *
 * @throws the signal's reason where it was aborted.
 */
export async function inSlices(count: number, step: (i: number) => void, signal?: AbortSignal): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (performance.now() - lastTurn > SLICE_MS) {
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
    step(i);
  }
}
