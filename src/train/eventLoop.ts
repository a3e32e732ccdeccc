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
      resolve();
    };
    port2.postMessage(null);
  });
}
