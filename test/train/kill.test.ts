import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/random';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside of the repository, from where tfjs is found.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const folder = mkdtempSync(join(root, 'node_modules/.cache/kill-'));
const script = join(folder, 'train.mjs');

// Trains, going on from the newest checkpoint where there is one, and prints a digest of weights and history at the end.
const SCRIPT = `
  import { createHash } from 'node:crypto';
  import { existsSync, readdirSync } from 'node:fs';
  import '@tensorflow/tfjs-backend-cpu';
  import { setBackend } from '@tensorflow/tfjs-core';
  import { MobilenetError, trainClassifier } from '../../src/index';
  import { tinyDataset, tinyModel, weightsOf } from './models';

  const [engine, dir] = process.argv.slice(2);
  await setBackend('cpu');
  const model = tinyModel({ dropout: 0.3 });
  const hasCheckpoint = existsSync(dir) && readdirSync(dir).some((name) => name.startsWith('step-'));
  const { history, resumedFrom } = await trainClassifier(model, tinyDataset(200), {
    epochs: 3,
    batchSize: 8,
    seed: 5,
    engine,
    threads: 2,
    optimizer: 'adamw',
    augment: { flip: 'random' },
    emaDecay: 0.9,
    validation: tinyDataset(21, 2),
    checkpoint: { dir, everySteps: 2, keep: 2 },
    resume: hasCheckpoint ? dir : undefined,
    onBatch: ({ step }) => {
      if (step % 5 === 0) console.log('step', step);
      return new Promise((resolve) => setTimeout(resolve, 5));
    },
  });
  const figures = history.map(({ loss, accuracy, valLoss }) => [loss, accuracy, valLoss]);
  const digest = createHash('sha256').update(JSON.stringify([weightsOf(model), figures])).digest('hex');
  console.log('digest', digest, 'resumed', resumedFrom?.step ?? 0);
  process.exit(0);
`;

beforeAll(async () => {
  await build({
    stdin: { contents: SCRIPT, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    alias: { '#platform': join(root, 'src/platform/node.ts') },
    tsconfigRaw: {},
    logLevel: 'silent',
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** When a run is killed: so many milliseconds after its first steps, or after its process began. */
interface Kill {
  after: 'steps' | 'start';
  ms: number;
}

/** Runs the script; kills it then, unless it ends before. */
function runScript(engine: string, dir: string, kill?: Kill): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, engine, dir]);
    const startTimer = () => setTimeout(() => child.kill('SIGKILL'), kill!.ms);
    let output = '';
    let errors = '';
    let timer = kill?.after === 'start' ? startTimer() : undefined;
    child.stdout.on('data', (data) => {
      output += data;
      if (kill) timer ??= startTimer();
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      if (code === 0 || code === null) resolve(output);
      else reject(new Error(errors));
    });
  });
}

const digestOf = (output: string) => /digest (\w+)/.exec(output)?.[1];

for (const engine of ['fused', 'tfjs']) {
  const seed = 77;
  test(`${engine}: killed with SIGKILL again and again (seed ${seed}), it ends with the same bits`, async () => {
    const random = createRandom(seed, engine.length);
    const expected = digestOf(await runScript(engine, join(folder, `${engine}-whole`)));
    expect(expected).toBeDefined();
    const begun = performance.now();
    await runScript(engine, join(folder, `${engine}-first-steps`), { after: 'steps', ms: 0 });
    const startMs = performance.now() - begun;

    const dir = join(folder, engine);
    let kills = 0;
    let output = '';
    while (digestOf(output) === undefined && kills < 100) {
      // Every third one while it loads, builds, restores, or takes the first steps of all.
      const early = kills % 3 === 0;
      const ms = random.integer(early ? Math.ceil(startMs) : 250);
      output = await runScript(engine, dir, { after: early ? 'start' : 'steps', ms });
      if (digestOf(output) === undefined) kills++;
    }
    expect(kills).toBeGreaterThan(2);
    expect(digestOf(output)).toBe(expected);
    expect(Number(/resumed (\d+)/.exec(output)?.[1])).toBeGreaterThan(0);
    expect(existsSync(dir) && readdirSync(dir).filter((name) => name.startsWith('step-')).length).toBe(2);
  }, 120_000);
}
