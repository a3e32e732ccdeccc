import { fail } from '../errors';

// The control block is two words of shared memory. Threads that arrive are counted in one; the other is the number of
// barriers passed, which waiters watch. A team ends by a number that no barrier has: as the waiters watch that very
// word, none can miss it.
const ARRIVED = 0;
const GENERATION = 1;
const ENDED = -1;

/** Bytes of shared memory that a team's barriers need. */
export const CONTROL_BYTES = 8;

/** A thread that waits for longer sleeps, so that the others have its processor. */
const SPIN_MS = 0.1;

/** Looks at the shared word between two looks at the clock, which cost more. */
const LOOKS = 100;

/** A sleeper looks by itself after this long, so that a wake-up that got lost is a delay and no hang. */
const SLEEP_MS = 100;

/**
 * A barrier for `threads` threads: it returns once every one of them has called it.
 *
 * @throws {MobilenetError} `engine-failed` where the team has ended
 */
export function createBarrier(control: SharedArrayBuffer | undefined, threads: number): () => void {
  if (control === undefined || threads === 1) return () => {};
  const words = new Int32Array(control);
  return () => {
    const generation = Atomics.load(words, GENERATION);
    if (generation !== ENDED) {
      if (Atomics.add(words, ARRIVED, 1) === threads - 1) openBarrier(words, generation);
      else waitWhile(words, generation);
    }
    if (Atomics.load(words, GENERATION) === ENDED) {
      fail({
        code: 'engine-failed',
        where: 'The engine',
        expected: 'all threads to arrive',
        received: 'the end of the team',
      });
    }
  };
}

/** Ends a team: whoever waits at a barrier, or comes to one, throws. Gives whether this call was the one that did. */
export function endBarriers(control: SharedArrayBuffer | undefined): boolean {
  if (control === undefined) return true;
  const words = new Int32Array(control);
  const before = Atomics.exchange(words, GENERATION, ENDED);
  Atomics.notify(words, GENERATION);
  return before !== ENDED;
}

function openBarrier(words: Int32Array, generation: number): void {
  // Before the number changes: the first to see it may be at the next barrier at once.
  Atomics.store(words, ARRIVED, 0);
  // Not stored, but exchanged: the end of the team must not be overwritten.
  Atomics.compareExchange(words, GENERATION, generation, (generation + 1) & 0x7fffffff);
  Atomics.notify(words, GENERATION);
}

function waitWhile(words: Int32Array, generation: number): void {
  const deadline = performance.now() + SPIN_MS;
  do {
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, GENERATION) !== generation) return;
  } while (performance.now() < deadline);
  while (Atomics.load(words, GENERATION) === generation) Atomics.wait(words, GENERATION, generation, SLEEP_MS);
}
