// `npm run bench:accuracy`, as a process of its own that uses the built package, on drawn pictures.
import '@tensorflow/tfjs-backend-cpu';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setBackend } from '@tensorflow/tfjs-core';
import { evaluateClassifier, loadModel, syntheticCifar10 } from 'mobilenet-v1-ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/accuracy.mjs', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-accuracy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [SCRIPT, '--data', 'synthetic', '--threads', '1', ...args], { cwd: folder });
const linesOf = ({ stdout }: { stdout: string }) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('with --json: a line an epoch, how it was measured, and last recipe, seed, testAccuracy and minutes', async () => {
  const args = ['--recipe', 'best', '--alpha', '0.1', '--epochs', '2', '--seed', '3', '--json'];
  const lines = linesOf(await run(...args, '--out', 'model', '--checkpoint', 'checkpoints'));
  expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, undefined, undefined]);
  expect(lines[2]).toMatchObject({ epochs: 2, engine: 'fused', threads: 1, measuredOn: 'test pictures, drawn' });
  const result = lines[3];
  expect(Object.keys(result)).toEqual(['recipe', 'seed', 'testAccuracy', 'minutes']);
  expect(result).toMatchObject({ recipe: 'best', seed: 3, minutes: lines[2].seconds / 60 });
  await setBackend('cpu');
  const model = await loadModel(join(folder, 'model'));
  expect((await evaluateClassifier(model, syntheticCifar10().test)).accuracy).toBe(result.testAccuracy);
  model.dispose();
  // At its end already: it goes on from there, and measures the same.
  const again = linesOf(await run(...args, '--checkpoint', 'checkpoints'));
  expect(again.at(-1)).toEqual(result);
  // The saved model is trained further, and not a new one; here at half the rate.
  const more = ['--recipe', 'best', '--epochs', '2', '--seed', '4', '--json', '--rate-factor', '0.5'];
  const [further] = linesOf(await run(...more, '--from', 'model'));
  expect(further.loss).toBeLessThan(lines[0].loss);
  expect(further.learningRate).toBe(lines[0].learningRate / 2);
});

test('with --holdout it measures on a tenth of the training pictures, and says so', async () => {
  const set = JSON.stringify({ weightDecay: 0, pictureScales: undefined });
  const args = ['--recipe', 'quick', '--alpha', '0.1', '--minutes', '0.02', '--holdout', '--set', set, '--json'];
  const lines = linesOf(await run(...args));
  expect(lines.at(-1)).toMatchObject({ recipe: 'quick', seed: 1 });
  expect(lines.at(-1).minutes).toBeGreaterThanOrEqual(0.02);
  expect(lines.at(-2).measuredOn).toBe('a tenth of the training pictures, drawn');
  expect(Object.keys(lines.at(-1))).toEqual(['recipe', 'seed', 'heldOutAccuracy', 'minutes']);
});

test.each([
  ['--minutes', 'abc', 'a number above 0'],
  ['--alpha', '-1', 'a number above 0'],
  ['--rate-factor', '0', 'a number above 0'],
  ['--seed', '1.5', 'an integer above 0'],
  ['--set', '[1]', 'a JSON object'],
  ['--net', '{', 'a JSON object'],
  ['--recipe', 'fast', 'Allowed choices are tutorial, paper, quick, best'],
])('%s %s is refused', async (name, value, words) => {
  await expect(run(name, value)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
});

test('the width of a saved model is its own', async () => {
  await expect(run('--from', 'model', '--alpha', '0.5')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("'--from <folder>' cannot be used with option '--alpha <number>'"),
  });
});
