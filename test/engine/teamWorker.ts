// A worker of tests: its session does what a command says, and so fails in whatever way a test wants.
import { serveTeam, type WorkerEnvironment, type WorkerPort } from '../../src/engine/workerLoop';
import { fail } from '../../src/errors';

/** What every thread is started with. */
export interface TestInit {
  threads: number;
  /** A thread that throws instead of making a session. */
  failsToStart?: number;
}

/** A thread, by number, and what it does at the given round; the others wait for it. */
export interface Accident {
  thread: number;
  round: number;
  how: 'throw' | 'throwMobilenetError' | 'exit' | 'loop';
}

export type TestCommand =
  /** Meets at barriers and checks that nobody is a round ahead or behind; gives the number of checks that failed. */
  | { kind: 'meet'; rounds: number; accident?: Accident }
  /** Gives the value back, from the first thread. */
  | { kind: 'echo'; value: unknown }
  /** Adds thread + 1 to a number in shared memory; gives it. */
  | { kind: 'count' }
  /** Makes a typed array of this length, of ones. */
  | { kind: 'ones'; length: number }
  /** Makes what cannot be posted. */
  | { kind: 'function' }
  /** Writes to all memory. */
  | { kind: 'fill' };

export function serve(port: WorkerPort): void {
  serveTeam(port, (environment: WorkerEnvironment, init: TestInit) => {
    const { memory, thread, barrier } = environment;
    if (thread === init.failsToStart) throw new Error('no session today');
    const words = new Int32Array(memory.buffer);
    return {
      run(command: TestCommand): unknown {
        switch (command.kind) {
          case 'meet':
            return meet(environment, init.threads, command);
          case 'echo':
            return command.value;
          case 'count':
            Atomics.add(words, 100, thread + 1);
            barrier();
            return words[100];
          case 'ones':
            return new Float32Array(command.length).fill(1);
          case 'function':
            return () => {};
          case 'fill':
            new Uint8Array(memory.buffer).fill(thread + 1);
            return memory.buffer.byteLength;
        }
      },
    };
  });
}

function meet(
  { memory, thread, barrier }: WorkerEnvironment,
  threads: number,
  { rounds, accident }: TestCommand & { kind: 'meet' },
): number {
  const at = new Int32Array(memory.buffer, 0, threads);
  let wrong = 0;
  for (let round = 1; round <= rounds; round++) {
    if (accident?.thread === thread && accident.round === round) happen(accident.how);
    at[thread] = round;
    barrier();
    for (const other of at) if (other !== round) wrong++;
    barrier();
  }
  at[thread] = -wrong;
  barrier();
  return at.reduce((sum, each) => sum - each, 0);
}

function happen(how: Accident['how']): void {
  if (how === 'throw') throw new Error('an accident');
  if (how === 'throwMobilenetError') {
    fail({ code: 'non-finite', where: 'a test', expected: 'luck', received: 'an accident' });
  }
  if (how === 'exit') process.exit(3);
  for (;;) Math.random();
}
