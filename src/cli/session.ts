import type { TextOutput } from '../index';

/** What the process ends with. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a command has of the world outside. */
export interface Session {
  /** How the command line was started, for advice that can be copied: `npx mobilenet-v1-ts`. */
  readonly program: string;
  /** Opened on use: only what reads from it touches it. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Results go here, and nothing else. */
  readonly stdout: TextOutput;
  /** Progress, advice and complaints. */
  readonly stderr: TextOutput;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says that the work is worth its end though nobody reads the results: a closed pipe no longer ends the process. */
  outliveReader(): void;
}

/** What a command does, once its arguments are read. */
export type Task = (session: Session) => Promise<ExitCode>;

/** Takes the task of the command that was chosen. */
export type OnTask = (task: Task) => void;

/** Whether an error is what the signal's abort comes to; another may be of a checkpoint that could not be written. */
export function isInterruption(error: unknown, { signal }: Pick<Session, 'signal'>): boolean {
  return signal.aborted && (error as Error | undefined)?.name === 'AbortError';
}

/** Writes a line of results. */
export function print({ stdout }: Session, line: string): void {
  stdout.write(`${line}\n`);
}

/** Writes a result for machines. */
export function printJson(session: Session, value: unknown): void {
  print(session, JSON.stringify(value));
}

/** Writes a line for whoever watches. */
export function say({ stderr }: Session, line: string): void {
  stderr.write(`${line}\n`);
}
