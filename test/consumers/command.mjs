import { spawn } from 'node:child_process';

const isWindows = process.platform === 'win32';

/**
 * Starts an npm command in a folder. `output` is what it has printed so far, `ended` resolves with its exit code.
 *
 * @param {string[]} args
 * @param {string} cwd
 */
export function startNpm(args, cwd) {
  // In a group of its own, so that what it starts ends with it.
  const child = spawn(isWindows ? 'npm.cmd' : 'npm', args, {
    cwd,
    detached: !isWindows,
    shell: isWindows,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' },
  });
  const command = { output: '', stdout: '', ended: /** @type {Promise<number | null>} */ (Promise.resolve(null)), end };
  child.stdout.on('data', (text) => {
    command.output += text;
    command.stdout += text;
  });
  child.stderr.on('data', (text) => {
    command.output += text;
  });
  command.ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });

  /** Ends it and what it started. */
  async function end() {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    if (isWindows) child.kill();
    else process.kill(-child.pid);
    await command.ended;
  }
  return command;
}

/**
 * Runs an npm command to its end, and gives its standard output.
 *
 * @param {string[]} args
 * @param {string} cwd
 * @param {number} [timeoutMs]
 * @throws {Error} with all that it printed, where it fails or takes too long.
 */
export async function runNpm(args, cwd, timeoutMs = 10 * 60_000) {
  const command = startNpm(args, cwd);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    command.end();
  }, timeoutMs);
  const code = await command.ended.finally(() => clearTimeout(timer));
  if (code === 0) return command.stdout;
  const how = isLate ? `took more than ${timeoutMs / 60_000} minutes` : `ended with exit code ${code}`;
  throw new Error(`npm ${args.join(' ')} ${how}\n${command.output}`);
}
