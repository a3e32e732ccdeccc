import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkpointPlace } from '../../src/cli/train/checkpointPlace';
import { adviceOnFew } from '../../src/cli/train/fewPictures';
import { networkOf, trainingOf } from '../../src/cli/train/network';
import { RECIPES, type TrainOptions } from '../../src/cli/train/trainOptions';
import {
  createClassifier,
  evaluateClassifier,
  getModelMetadata,
  loadModel,
  mobilenetV1,
  recipeNetworks,
  recipes,
  saveModel,
  syntheticCifar10,
} from '../../src/index';
import { smoothPng, writeTree } from '../data/imageFolderFixture';
import { parseLines, run, temporaryFolder } from './harness';

const folder = temporaryFolder();
const place = (name: string) => join(folder, name);
const SMALL = '--alpha 0.1 --batch-size 16 --threads 1'.split(' ');

/** Two classes of eight pictures that are easily told apart. */
let pets: string;
beforeAll(async () => {
  const files = Array.from({ length: 8 }, (_, i) => [
    [`light/${i}.png`, smoothPng(40, 30, i)] as const,
    [`dark/${i}.png`, smoothPng(30, 40, i + 3)] as const,
  ]);
  pets = await writeTree({ ...Object.fromEntries(files.flat()), 'dark/broken.png': 'nonsense' });
});
afterAll(() => rmSync(pets, { recursive: true, force: true }));

describe('on synthetic pictures', () => {
  test('with --json: a line an epoch, then what is true of the saved model', async () => {
    const out = place('model');
    const args = ['train', 'synthetic', '--limit', '64', '--epochs', '2', ...SMALL, '--out', out, '--json'];
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    const lines = parseLines(stdout);
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, undefined]);
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ out, dataset: 'synthetic', recipe: 'quick', epochs: 2, steps: 8, seed: 1 });
    expect(summary).toMatchObject({ engine: 'fused', threads: 1, loss: lines[1].loss, accuracy: lines[1].accuracy });
    expect(readFileSync(summary.report, 'utf8')).toContain('</html>');
    // Nobody would go on from where it is done.
    expect(readdirSync(out)).not.toContain('checkpoints');

    await setBackend('cpu');
    const model = await loadModel(out);
    const { test: pictures } = syntheticCifar10({ train: 64, test: 64 });
    const { loss, accuracy } = await evaluateClassifier(model, pictures);
    model.dispose();
    expect(summary.testAccuracy).toBe(accuracy);
    expect(summary.testLoss).toBeCloseTo(loss, 5);
  });

  test('as text: a table on stdout, all else on stderr; the report where it is asked for', async () => {
    const args = ['train', '--data', 'synthetic', '--limit', '32', '--recipe', 'tutorial', '--epochs', '1', ...SMALL];
    const { code, stdout, stderr } = await run([...args, '--out', place('text'), '--report', place('own')]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^epoch +loss +accuracy +images\/s +seconds\n +1 /);
    expect(stdout).toMatch(
      / threads: 1; the model is in .*text\. It classifies \d+\.\d % of the test pictures right\.\n$/,
    );
    expect(stderr).toMatch(/^epoch 1: loss /m);
    expect(stderr).toContain(pathToFileURL(join(place('own'), 'report.html')).href);
    expect(readdirSync(place('text'))).not.toContain('report.html');
  });
});

test('an earlier model is replaced only where that is said', async () => {
  const out = place('earlier');
  const args = ['train', 'synthetic', '--limit', '16', '--epochs', '1', ...SMALL, '--json', '--out', out];
  expect((await run(args)).code).toBe(0);
  const weights = () => readFileSync(join(out, readdirSync(out).find((name) => name.endsWith('.bin'))!));
  const before = weights();
  const refusal =
    `--out: expected a folder without a model, received '${out}', which has one. ` +
    'Name another folder, or replace the model by --overwrite.\n';
  // Checkpoints elsewhere may be those of any training.
  for (const more of [[], ['--resume', place('elsewhere')]]) {
    expect(await run([...args, ...more])).toEqual({ code: 1, stdout: '', stderr: refusal });
  }
  // Of its own training's checkpoints there are none left.
  const resumed = await run([...args, '--resume', join(out, 'checkpoints')]);
  expect(resumed.stderr).toContain('expected a folder of checkpoints, or one checkpoint');
  expect(weights().equals(before)).toBe(true);

  const replaced = await run([...args, '--overwrite', '--seed', '2']);
  expect(replaced.code, replaced.stderr).toBe(0);
  expect(weights().equals(before)).toBe(false);
});

describe('an interruption', () => {
  const args = ['train', 'synthetic', '--limit', '48', '--epochs', '4', ...SMALL, '--json', '--out', place('stopped')];

  test('leaves a checkpoint, says how to go on, and the same bits come out', async () => {
    const whole = [...args.slice(0, -1), place('whole')];
    expect((await run(whole)).code).toBe(0);

    const stop = new AbortController();
    const onStderr = (text: string) => {
      if (text.startsWith('epoch 2:')) stop.abort();
    };
    const stopped = await run(args, { signal: stop.signal, onStderr });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout).not.toContain('"out"');
    expect(readdirSync(place('stopped'))).not.toContain('model.json');
    const advice = /Stopped\. To go on: npx mobilenet-v1-ts (.*) --resume '(.*)'\n$/.exec(stopped.stderr);
    expect(advice?.[1]?.replaceAll("'", '').split(' --out ')[0]).toBe(
      'train synthetic --epochs 4 --alpha 0.1 --batch-size 16 --limit 48 --threads 1',
    );
    expect(advice?.[2]).toBe(join(place('stopped'), 'checkpoints'));

    const anew = await run(args);
    expect(anew.code).toBe(1);
    expect(anew.stderr).toContain('There are checkpoints of another training');
    expect(anew.stderr).toContain(`--resume '${join(place('stopped'), 'checkpoints')}'`);

    const resumed = await run([...args, '--resume', join(place('stopped'), 'checkpoints')]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(parseLines(resumed.stdout).at(-1)).toMatchObject({ epochs: 4, resumedFrom: { step: 6 } });
    const weights = (name: string) => readFileSync(join(place(name), 'group1-shard1of1.bin'));
    expect(weights('stopped').equals(weights('whole'))).toBe(true);
    expect(readdirSync(place('stopped'))).not.toContain('checkpoints');
  });

  test('before the training only stops it', async () => {
    const outcome = await run([...args.slice(0, -1), place('never')], { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ code: 130, stdout: '' });
    expect(existsSync(place('never'))).toBe(false);
  });

  test('a model that cannot be saved says how to go on, and then is', async () => {
    const own = ['train', 'synthetic', '--limit', '16', '--epochs', '1', ...SMALL, '--out', place('full')];
    mkdirSync(place('full/model.json'), { recursive: true });
    const outcome = await run(own);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    const again = `Trained, but not saved. To try that again: npx mobilenet-v1-ts train synthetic `;
    expect(outcome.stderr).toContain(again);
    const checkpoints = join(place('full'), 'checkpoints');
    expect(outcome.stderr).toContain(`--resume '${checkpoints}'\n`);
    rmSync(place('full/model.json'), { recursive: true });
    const resumed = await run([...own, '--resume', checkpoints]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(readdirSync(place('full'))).toContain('model.json');
  });

  test('checkpoints of which the place was named stay', async () => {
    const outcome = await run([...args.slice(0, -1), place('kept'), '--checkpoint', place('check points')]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(readdirSync(place('check points')).every((name) => name.startsWith('step-'))).toBe(true);
  });
});

describe('how it is trained', () => {
  const options: TrainOptions = {
    data: { place: 'cifar10', isCifar10: true },
    recipe: 'quick',
    seed: 3,
    out: 'model',
    given: [],
  };

  test('each recipe brings its network, of which a short quick run has a narrower one', () => {
    for (const recipe of RECIPES) {
      const network = networkOf({ ...options, recipe, minutes: 20 }, 32);
      expect(network).toEqual({ ...recipeNetworks[recipe], seed: 3 });
    }
    expect(networkOf(options, 32)).toEqual({ ...recipeNetworks.minute, seed: 3 });
    expect(networkOf({ ...options, epochs: 9 }, 32)).toMatchObject(recipeNetworks.quick);
    expect(networkOf({ ...options, alpha: 0.75 }, 32).alpha).toBe(0.75);
  });

  test('to go on, a width that went by the minutes is said', () => {
    const goOn = (said: Partial<TrainOptions>) =>
      checkpointPlace({ ...options, given: ['train'], ...said }).goOn({ program: 'npx mobilenet-v1-ts' });
    const line = (width: string) => `npx mobilenet-v1-ts train${width} --resume ${join('model', 'checkpoints')}`;
    expect(goOn({})).toBe(line(' --alpha 0.25'));
    expect(goOn({ minutes: 20 })).toBe(line(' --alpha 0.5'));
    for (const said of [{ epochs: 3 }, { alpha: 0.1 }, { recipe: 'best' }, { pretrained: 'keras' }] as const) {
      expect(goOn(said)).toBe(line(''));
    }
  });

  test('larger pictures have a stem of stride 2, crops as large in proportion, and another range', () => {
    expect(networkOf(options, 96).stemStride).toBe(2);
    const { augment, inputRange, batchSize } = trainingOf(options, 96);
    expect({ augment, inputRange }).toEqual({
      augment: { ...recipes.quick.augment, crop: { padding: 12, fill: 'reflect' } },
      inputRange: [-1, 1],
    });
    expect(batchSize).toBe(recipes.quick.batchSize);
    expect(trainingOf(options, 32)).toEqual({ ...recipes.quick, seed: 3 });
    expect(trainingOf({ ...options, recipe: 'tutorial' }, 96).inputRange).toEqual([0, 1]);
    const best = trainingOf({ ...options, recipe: 'best' }, 96);
    expect(best).toMatchObject({ inputRange: [-1, 1], augment: { crop: { padding: 12 } } });
  });

  test('the command line has the last word', () => {
    const said = { minutes: 7, batchSize: 9, learningRate: 0.5, threads: 1 };
    const { minutes, ...others } = said;
    expect(trainingOf({ ...options, ...said }, 32)).toMatchObject({ maxMinutes: minutes, ...others, seed: 3 });
    expect(trainingOf({ ...options, epochs: 4 }, 32)).toMatchObject({ epochs: 4, maxMinutes: undefined });
    expect(trainingOf({ ...options, pretrained: 'keras' }, 224)).not.toHaveProperty('augment');
  });
});

describe('on a folder of pictures', () => {
  test('of few in a class, a network that is trained already is advised, where it could be taken', () => {
    const fresh = { pretrained: undefined, resume: undefined, limit: undefined };
    const pictures = (size: number) => ({ size, classNames: ['dark', 'light'] });
    expect(adviceOnFew(pictures(19), fresh)).toContain('--pretrained');
    expect(adviceOnFew(pictures(20), fresh)).toBeUndefined();
    for (const said of [{ pretrained: 'timm' }, { resume: 'checkpoints' }, { limit: 19 }] as const) {
      expect(adviceOnFew(pictures(19), { ...fresh, ...said })).toBeUndefined();
    }
  });

  test('of its size, with a part held back; broken ones are named and left out', async () => {
    const out = place('pets');
    const args = ['train', pets, '--size', '40', '--epochs', '1', ...SMALL, '--out', out, '--json'];
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Left out dark/broken.png: ');
    expect(stderr).toMatch(/^Fewer than 10 pictures a class .*: --pretrained keras/m);
    const summary = parseLines(stdout).at(-1);
    expect(summary).toMatchObject({ dataset: pets, classNames: ['dark', 'light'], valAccuracy: expect.any(Number) });
    expect(summary).not.toHaveProperty('testAccuracy');

    const classifier = await createClassifier(out);
    const [best] = await classifier.classify(join(pets, 'light/1.png'));
    await classifier.dispose();
    expect(['dark', 'light']).toContain(best!.className);
  });

  test('of one picture a class, holds none back; into a hidden folder of theirs', async () => {
    const few = await writeTree({ 'light/a.png': smoothPng(40, 40), 'dark/b.png': smoothPng(40, 40, 3) });
    const out = join(few, '.model');
    try {
      const args = ['train', few, '--size', '32', '--epochs', '1', ...SMALL, '--out', out, '--json'];
      const { code, stdout, stderr } = await run(args);
      expect(code, stderr).toBe(0);
      expect(parseLines(stdout).at(-1)).not.toHaveProperty('valAccuracy');
    } finally {
      rmSync(few, { recursive: true });
    }
  });

  test('with features that were learned elsewhere, of which only the head is trained', async () => {
    await setBackend('cpu');
    const source = mobilenetV1({ alpha: 0.25, depthwiseInitializer: 'identity', seed: 3 });
    await saveModel(source, place('imagenet'));
    const out = place('transferred');
    const args = ['train', pets, '--pretrained', 'tfjs', '--alpha', '0.25', '--weights', place('imagenet')];
    const { code, stdout, stderr } = await run([...args, '--epochs', '2', '--out', out, '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Features of tfjs; 514 parameters of a new head are trained');
    expect(stderr).not.toContain('--pretrained');
    expect(parseLines(stdout).at(-1)).toMatchObject({ pretrained: 'tfjs', cachedUpTo: expect.any(String) });

    const model = await loadModel(out);
    expect(getModelMetadata(model)).toMatchObject({
      classNames: ['dark', 'light'],
      inputRange: [-1, 1],
      cropFraction: 1,
    });
    expect(model.getLayer('conv_pw_7').getWeights()[0]!.dataSync()).toEqual(
      source.getLayer('conv_pw_7').getWeights()[0]!.dataSync(),
    );
    model.dispose();
    source.dispose();
  });
});

test.each([
  ['a folder without sub-folders', { 'a.png': '' }, 'Give the folder that holds one sub-folder for each class.'],
  [
    'a class without pictures',
    { 'a/1.png': '', 'b/c.txt': '' },
    'put pictures into it (.jpg, .jpeg, .png, .webp, .gif).',
  ],
  ['none to hold back', { 'a/1.png': smoothPng(8, 8), 'b/1.png': smoothPng(8, 8) }, 'Add pictures, or hold none back.'],
])('%s: what to do is for the command line', async (_, files, remedy) => {
  const pictures = await writeTree(files);
  const args = ['train', pictures, '--size', '32', '--validation-split', '0.5', ...SMALL, '--out', place('refused')];
  const { code, stderr } = await run(args);
  rmSync(pictures, { recursive: true });
  expect({ code, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
    code: 1,
    last: expect.stringContaining(remedy),
  });
  expect(stderr).not.toMatch(/csv|classNames|stratified/);
});

test('what goes wrong is one line on stderr', async () => {
  writeFileSync(place('file'), '');
  const missing = await run(['train', place('nowhere'), ...SMALL, '--out', place('x')]);
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toMatch(/^loadImageFolder: expected a folder .*nowhere, where there is no folder.*\n$/);
  const none = await run(['train', 'synthetic', ...SMALL, '--out', place('x'), '--resume', place('no checkpoints')]);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('expected a folder of checkpoints, or one checkpoint');
  const cifar = await run(['train', 'cifar10', '--data', place('file'), ...SMALL, '--out', place('x')]);
  expect(cifar.code).toBe(1);
  expect(cifar.stderr).toMatch(/CIFAR-10|tar/);
});
