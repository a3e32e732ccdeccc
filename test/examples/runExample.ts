import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts an example as a process of its own, which uses the built package. */
export function startExample(path: string, args: readonly string[], cwd?: string): ChildProcessWithoutNullStreams {
  const script = fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
  return spawn(process.execPath, [script, ...args], { cwd });
}

/** Runs an example to its end. */
export async function runExample(path: string, args: readonly string[], cwd?: string) {
  const child = startExample(path, args, cwd);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
