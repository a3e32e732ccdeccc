/** Holds a training and lets it go on; made by {@link createTrainingControl}. */
export interface TrainingControl {
  /** Holds the training before its next batch; where gradients accumulate and checkpoints are written, its next update. */
  pause(): void;
  resume(): void;
  readonly paused: boolean;
  /** Resolves at once unless paused, else when resumed; rejects where the signal aborts meanwhile. */
  whenRunning(signal?: AbortSignal): Promise<void>;
}

/**
 * A handle to pause a training with: given to {@link trainClassifier} as `control`. Time spent paused does not count.
 *
 * @example
 * ```ts
 * const control = createTrainingControl();
 * const training = trainClassifier(model, train, { epochs: 5, control });
 * control.pause();
 * setTimeout(() => control.resume(), 1000);
 * await training;
 * ```
 */
export function createTrainingControl(): TrainingControl {
  const waiting = new Set<() => void>();
  let paused = false;
  const resumed = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      const stop = () => {
        waiting.delete(goOn);
        reject(signal!.reason);
      };
      const goOn = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      waiting.add(goOn);
      signal?.addEventListener('abort', stop, { once: true });
    });
  return {
    get paused() {
      return paused;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      for (const goOn of waiting) goOn();
      waiting.clear();
    },
    async whenRunning(signal) {
      signal?.throwIfAborted();
      if (!paused) return;
      // Idle workers do not keep a process of Node alive, and whoever resumes it may be a signal, which does not, either.
      const alive = setInterval(() => {}, 2 ** 30);
      try {
        // It may be paused again before this has come to its turn.
        while (paused) await resumed(signal);
      } finally {
        clearInterval(alive);
      }
    },
  };
}
