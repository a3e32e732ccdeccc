// The real thing: a process that writes one checkpoint after the other, killed again and again.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listCheckpoints, readCheckpoint } from '../../src/io/checkpointFolder';
import { createRandom } from '../../src/random';

const src = fileURLToPath(new URL('../../src', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'mobilenet-kill-'));
const script = join(root, 'write.mjs');
const VALUES = 50_000;

beforeAll(async () => {
  const contents = `
    import { writeSync } from 'node:fs';
    import { writeCheckpoint } from '${src}/io/checkpointFolder';
    const [dir, first] = process.argv.slice(2);
    for (let step = Number(first); ; step++) {
      const tensors = new Map([['w', { shape: [${VALUES}], data: new Float32Array(${VALUES}).fill(step) }]]);
      await writeCheckpoint(dir, { step, tensors, record: { step } });
      writeSync(1, step + '\\n');
    }`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: src, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    alias: { '#platform': join(src, 'platform/node.ts') },
    packages: 'external',
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  writeFileSync(script, outputFiles[0]!.text);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Lets a process write from step `first` on, kills it some time after its first checkpoint, and gives what it printed. */
async function writeUntilKilled(dir: string, first: number, delayMs: number): Promise<string> {
  const child = spawn(process.execPath, [script, dir, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), delayMs);
    output += text;
  });
  const signal = await new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
  expect(signal).toBe('SIGKILL');
  return output;
}

const seed = Date.now() % 1000;
test(`killed 20 times: each time there is a whole one, no older than the last acknowledged (seed ${seed})`, async () => {
  const killAgainAndAgain = async (name: string, kills: number) => {
    const random = createRandom(seed, name.charCodeAt(0));
    const dir = join(root, name);
    let first = 1;
    for (let i = 0; i < kills; i++) {
      const output = await writeUntilKilled(dir, first, random.uniform() * 30);
      const acknowledged = Number(output.trimEnd().split('\n').at(-1));
      const { step, tensors, record } = await readCheckpoint(dir);
      expect(step).toBeGreaterThanOrEqual(acknowledged);
      expect(record).toEqual({ step });
      expect(tensors.get('w')!.data).toEqual(new Float32Array(VALUES).fill(step));
      for (const { path } of await listCheckpoints(dir)) await readCheckpoint(path);
      first = step + 1;
    }
  };
  await Promise.all([killAgainAndAgain('a', 10), killAgainAndAgain('b', 10)]);
});
