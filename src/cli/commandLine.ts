import { CommanderError } from 'commander';
import { createProgram } from './program';
import { EXIT, type ExitCode, isInterruption, type Session, say, type Task } from './session';

/** Reads the arguments, does what they ask for, and tells how it ended. */
export async function runCommandLine(args: readonly string[], session: Session): Promise<ExitCode> {
  const read = readArguments(args, session);
  if (typeof read === 'number') return read;
  try {
    return await read(session);
  } catch (error) {
    return explain(error, session);
  }
}

/** What is to be done; an exit code where that was to show help, or where the arguments are wrong, which is said. */
function readArguments(args: readonly string[], session: Session): Task | ExitCode {
  let task: Task | undefined;
  const program = createProgram(session, (chosen) => {
    task = chosen;
  });
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return task ?? EXIT.usage;
}

async function explain(error: unknown, session: Session): Promise<ExitCode> {
  if (isInterruption(error, session)) {
    say(session, 'Stopped.');
    return EXIT.interrupted;
  }
  if (isMissingPeer(error)) {
    say(session, `${error.message}\n${INSTALL}`);
    return EXIT.failure;
  }
  // Loaded by now, unless the error came before; help must not wait for it.
  const { MobilenetError } = await import('../index');
  if (!(error instanceof MobilenetError)) throw error;
  say(session, error.message);
  return EXIT.failure;
}

const INSTALL =
  'Run: npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu, on which this runs.';

function isMissingPeer(error: unknown): error is Error {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes('@tensorflow/')
  );
}
