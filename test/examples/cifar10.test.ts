// The example behind `npm start`, as a process of its own that uses the built package, on few synthetic pictures.
import '@tensorflow/tfjs-backend-cpu';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { evaluateClassifier, loadModel, recipeNetworks, recipes, syntheticCifar10, takeDataset } from 'mobilenet-v1-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseOptions, resumeCommand } from '../../examples/cifar10/options.mjs';
import { mostFrequentConfusions } from '../../examples/cifar10/report.mjs';

const SCRIPT = fileURLToPath(new URL('../../examples/cifar10/train.mjs', import.meta.url));
const SMALL = '--data synthetic --alpha 0.25 --stem-stride 2 --batch-size 32 --threads 1'.split(' ');

let folder: string;
beforeAll(() => {
  // A space, as people's folders have them.
  folder = mkdtempSync(join(tmpdir(), 'cifar10 example '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the example to its end; `interrupt` sends Ctrl-C's signal, twice as npm may do, once stdout shows something. */
async function run(args: readonly string[], { interrupt = false } = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (interrupt && stdout === '') {
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGINT'), 5);
    }
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

function parseLines(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('with --json: a line an epoch, then a summary that is true of the saved model', async () => {
  const args = [...SMALL, '--limit', '500', '--epochs', '2', '--out', 'model', '--json'];
  const { code, stdout, stderr } = await run(args);
  expect(code, stderr).toBe(0);
  const lines = parseLines(stdout);
  const summary = lines.at(-1);
  expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, undefined]);
  expect(summary).toMatchObject({ engine: 'fused', threads: 1, dataset: 'synthetic', recipe: 'quick', alpha: 0.25 });
  expect(summary).toMatchObject({ seed: 1, epochs: 2, out: 'model', report: join(folder, 'model', 'report.html') });

  await setBackend('cpu');
  const pictures = takeDataset(syntheticCifar10({ train: 5000, test: 1000 }).test, 500);
  const model = await loadModel(join(folder, 'model'));
  const evaluation = await evaluateClassifier(model, pictures);
  model.dispose();
  expect(summary.testAccuracy).toBe(evaluation.accuracy);
  expect(summary.testLoss).toBeCloseTo(evaluation.loss, 5);
  expect(summary.confusions).toEqual(mostFrequentConfusions(evaluation));

  // What is validated on is held back from the training pictures: one of each class.
  const history = JSON.parse(readFileSync(join(folder, 'model', 'history.json'), 'utf8'));
  expect(history.settings).toMatchObject({ 'training pictures': 490, 'validation pictures': 10 });
  expect(history.epochs.map(({ valLoss }: { valLoss: number }) => valLoss)).toEqual([
    lines[0].valLoss,
    lines[1].valLoss,
  ]);
  expect(readFileSync(summary.report, 'utf8')).toContain('</html>');
});

test('as text: tables and confusions on stdout, all else on stderr, the report where it is asked for', async () => {
  const args = [
    ...SMALL,
    '--limit',
    '60',
    '--minutes',
    '0.01',
    '--recipe',
    'tutorial',
    '--out',
    'tutorial',
    '--report',
    'own',
  ];
  const { code, stdout, stderr } = await run(args);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/│ epoch │ +loss │ accuracy │ images\/s │ seconds │/);
  expect(stdout.match(/│ (right|wrong) │/g)).toHaveLength(5);
  expect(stdout).toMatch(/Most frequent confusions: \w+ taken for \w+ \(\d+\), /);
  expect(stdout).toMatch(/classifies \d+\.\d % of the test pictures right\.\n$/);
  expect(stderr).toContain('recipe tutorial');
  expect(stderr).toMatch(/^epoch 1: loss /m);
  expect(stderr).toContain(pathToFileURL(join(folder, 'own', 'report.html')).href);
  expect(existsSync(join(folder, 'own', 'report.html'))).toBe(true);
  expect(readdirSync(join(folder, 'tutorial'))).not.toContain('report.html');
});

test('Ctrl-C stops it with a checkpoint, and the command that it names goes on from there', async () => {
  const args = [...SMALL, '--limit', '64', '--recipe', 'paper', '--epochs', '100000', '--out', 'resumed', '--json'];
  const stopped = await run([...args, '--checkpoint', 'check points'], { interrupt: true });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toMatch(/Stopped\. To go on: npm start -- .* --resume "check points"\n$/);
  expect(existsSync(join(folder, 'resumed', 'model.json'))).toBe(false);
  const steps = readdirSync(join(folder, 'check points')).map((name) => Number(name.split('-')[1]));
  expect(Math.max(...steps)).toBeGreaterThanOrEqual(2);

  const command = /npm start -- (.*)/.exec(stopped.stderr)![1]!;
  const named = command.match(/"[^"]*"|\S+/g)!.map((argument) => argument.replaceAll('"', ''));
  // It ends with the epoch that was under way.
  const resumed = await run([...named, '--epochs', '1']);
  expect(resumed.code, resumed.stderr).toBe(0);
  const summary = parseLines(resumed.stdout).at(-1);
  expect(summary.resumedFrom.step).toBe(Math.max(...steps));
  expect(summary.epochs).toBe(Math.ceil(summary.resumedFrom.step / 2));
  expect(existsSync(join(folder, 'resumed', 'model.json'))).toBe(true);
});

test('Ctrl-C without checkpoints only stops it', async () => {
  const args = [...SMALL, '--limit', '64', '--epochs', '100000', '--json'];
  const { code, stderr } = await run(args, { interrupt: true });
  expect(code).toBe(130);
  expect(stderr).toMatch(/\nStopped\.\n$/);
});

test('what goes wrong is one line on stderr', async () => {
  const { code, stdout, stderr } = await run(['--data', 'nowhere']);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^loadCifar10: expected .* nowhere, .*\n$/);
});

describe('options', () => {
  test.each(Object.keys(recipes) as (keyof typeof recipes)[])('%s brings its own network', (recipe) => {
    const { alpha, stemStride } = parseOptions(['--recipe', recipe, '--minutes', '20']);
    expect({ alpha, stemStride }).toEqual({
      alpha: recipeNetworks[recipe].alpha,
      stemStride: (recipeNetworks[recipe] as { stemStride?: number }).stemStride ?? 2,
    });
  });

  test('a minute of the quick recipe gets a narrower one', () => {
    expect(parseOptions([])).toMatchObject(recipeNetworks.minute);
    expect(parseOptions(['--minutes', '1', '--epochs', '9'])).toMatchObject(recipeNetworks.quick);
  });

  test('the command line has the last word', () => {
    expect(parseOptions(['--alpha', '0.75', '--stem-stride', '2'])).toMatchObject({ alpha: 0.75, stemStride: 2 });
  });

  test('the report goes to the model, checkpoints go where they came from', () => {
    expect(parseOptions(['--out', 'model']).report).toBe('model');
    expect(parseOptions(['--out', 'model', '--report', 'own']).report).toBe('own');
    expect(parseOptions([]).checkpoint).toBeUndefined();
    expect(parseOptions(['--resume', 'run']).checkpoint).toBe('run');
    expect(parseOptions(['--resume', 'run/step-00000010-2']).checkpoint).toBe('run');
    expect(parseOptions(['--resume', 'run', '--checkpoint', 'next']).checkpoint).toBe('next');
  });

  test('the command to go on repeats what was given, and nothing else', () => {
    const args = ['--resume', 'old/step-00000010', '--minutes', '20', '--json', '--checkpoint', 'new', '--seed', '-3'];
    expect(resumeCommand(parseOptions(args))).toBe('npm start -- --minutes 20 --seed -3 --json --resume new');
  });
});

test('the most frequent confusions leave right answers and zeros out', () => {
  const perClass = ['cat', 'dog', 'ship'].map((className) => ({ className, accuracy: 0, size: 0 }));
  const confusionMatrix = [
    [90, 7, 0],
    [12, 80, 1],
    [0, 0, 99],
  ];
  const evaluation = { loss: 0, accuracy: 0, mistakes: [], perClass, confusionMatrix };
  expect(mostFrequentConfusions(evaluation, 2)).toEqual([
    { label: 'dog', predicted: 'cat', pictures: 12 },
    { label: 'cat', predicted: 'dog', pictures: 7 },
  ]);
  expect(mostFrequentConfusions(evaluation, 9)).toHaveLength(3);
});
