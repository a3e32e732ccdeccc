/** How long a pass took on this thread, the wait for the others included. */
export interface PassTime {
  /** The stage's name. */
  readonly stage: string;
  readonly direction: 'forward' | 'statistics' | 'backward' | 'update';
  readonly milliseconds: number;
}

/** Runs passes, each with a barrier behind it. */
export interface PassTimer {
  pass(stage: string, direction: PassTime['direction'], work: () => void): void;
  /** Undefined unless asked for. */
  readonly times: PassTime[] | undefined;
}

export function createPassTimer(barrier: () => void, isTimed: boolean): PassTimer {
  const times: PassTime[] = [];
  return {
    times: isTimed ? times : undefined,
    pass(stage, direction, work) {
      const start = isTimed ? performance.now() : 0;
      work();
      barrier();
      if (isTimed) times.push({ stage, direction, milliseconds: performance.now() - start });
    },
  };
}
