// What is done with a model: evaluate, classify, summary, convert.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { input, type LayersModel, layers, model as modelOf, sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeModel } from '../../src/cli/summary/describeModel';
import {
  createClassifier,
  describeMobilenetV1,
  evaluateClassifier,
  getModelMetadata,
  loadImageFolder,
  loadModel,
  mobilenetV1,
  saveModel,
  setModelMetadata,
  syntheticCifar10,
  takeDataset,
} from '../../src/index';
import { smoothPng, writeTree } from '../data/imageFolderFixture';
import { parseLines, run, temporaryFolder } from './harness';

const folder = temporaryFolder();
const place = (name: string) => join(folder, name);
const NETWORK = {
  alpha: 0.1,
  classes: 10,
  inputShape: [32, 32, 3],
  depthwiseInitializer: 'identity',
  seed: 1,
} as const;
const { test: pictures } = syntheticCifar10({ train: 40, test: 40 });
let model: LayersModel;
let pets: string;

beforeAll(async () => {
  await setBackend('cpu');
  model = mobilenetV1(NETWORK);
  setModelMetadata(model, { classNames: pictures.classNames, inputRange: [-1, 1] });
  await saveModel(model, place('model'));
  pets = await writeTree({
    'star/a.png': smoothPng(40, 40, 1),
    'star/b.png': smoothPng(50, 40, 2),
    'cross/c.png': smoothPng(40, 50, 3),
  });
});
afterAll(() => {
  model.dispose();
  rmSync(pets, { recursive: true, force: true });
});

describe('evaluate', () => {
  test.each([
    [[], undefined],
    [['--flip'], 'flip'],
    [['--flip-and-shift'], 'flipAndShift'],
  ] as const)('gives what evaluateClassifier gives, %j', async (flags, testTimeAugmentation) => {
    const args = ['evaluate', place('model'), '--data', 'synthetic', '--limit', '40', '--threads', '1', '--json'];
    const { code, stdout, stderr } = await run([...args, ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const expected = await evaluateClassifier(model, pictures, { threads: 1, testTimeAugmentation });
    const what = { model: place('model'), dataset: 'synthetic', pictures: 40, testTimeAugmentation };
    const [found] = parseLines(stdout);
    expect(found).toEqual(JSON.parse(JSON.stringify({ ...what, ...expected })));
  });

  test("takes the sub-folders of a folder for the model's classes", async () => {
    const { code, stdout, stderr } = await run(['evaluate', place('model'), pets, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const dataset = await loadImageFolder(pets, { size: 32, classNames: pictures.classNames });
    const expected = await evaluateClassifier(model, dataset);
    expect(parseLines(stdout)[0]).toMatchObject({ pictures: 3, accuracy: expected.accuracy, loss: expected.loss });
  });

  test('of a part of a folder takes pictures of all its classes', async () => {
    const [{ perClass }] = parseLines((await run(['evaluate', place('model'), pets, '--limit', '2', '--json'])).stdout);
    const found = perClass.filter(({ size }: { size: number }) => size > 0);
    expect(found).toMatchObject([
      { className: 'cross', size: 1 },
      { className: 'star', size: 1 },
    ]);
  });

  test('reads a folder with the fit of the model, and says where classify resizes otherwise', async () => {
    const { classNames } = pictures;
    const own = mobilenetV1(NETWORK);
    setModelMetadata(own, { classNames, fit: 'stretch', cropFraction: 0.875, interpolation: 'bicubic' });
    await saveModel(own, place('stretching'));
    const { code, stdout, stderr } = await run(['evaluate', place('stretching'), pets, '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr).toBe(
      'For this model classify resizes pictures otherwise (87.5 % of each side, bicubic) than they are measured here (100.0 %, bilinear).\n',
    );
    const stretched = await loadImageFolder(pets, { size: 32, classNames, fit: 'stretch' });
    expect(parseLines(stdout)[0].loss).toBe((await evaluateClassifier(own, stretched)).loss);
    own.dispose();
  });

  test('of a model that has something else for names of classes takes those of the folder', async () => {
    const own = mobilenetV1({ ...NETWORK, classes: 2 });
    setModelMetadata(own, { classNames: { 0: 'cross', 1: 'star' } } as object);
    await saveModel(own, place('nameless'));
    own.dispose();
    const { code, stdout, stderr } = await run(['evaluate', place('nameless'), pets, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { perClass } = parseLines(stdout)[0];
    expect(perClass.map(({ className }: { className: string }) => className)).toEqual(['cross', 'star']);
  });

  test('prints tables, and a word where classes are others', async () => {
    const own = mobilenetV1(NETWORK);
    setModelMetadata(own, { classNames: [...pictures.classNames].reverse(), inputRange: [-1, 1] });
    await saveModel(own, place('reversed'));
    own.dispose();
    const { code, stdout, stderr } = await run(['evaluate', place('reversed'), 'synthetic', '--limit', '40']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^The model's classes are dots, .*; those of the pictures are circle, /);
    expect(stdout).toMatch(/^\d+\.\d % of 40 pictures of synthetic classified right; loss \d+\.\d{4}\n/);
    expect(stdout).toMatch(/^circle +\d+\.\d % +\d+$/m);
    expect(stdout).toMatch(/^is \\ was taken for +circle +ring .*dots$/m);
  });
});

describe('classify', () => {
  const expected = async (file: string, topK: number) => {
    const classifier = await createClassifier(model);
    const classes = await classifier.classify(join(pets, file), { topK });
    await classifier.dispose();
    return classes;
  };

  test('prints a line a picture, folders with what is in them', async () => {
    const { code, stdout, stderr } = await run(['classify', place('model'), pets, '--top-k', '2', '--threads', '1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const files = ['cross/c.png', 'star/a.png', 'star/b.png'];
    const lines = await Promise.all(
      files.map(async (file) => {
        const words = (await expected(file, 2)).map(
          (each) => `${each.className} ${(100 * each.probability).toFixed(1)} %`,
        );
        return `${join(pets, file)}: ${words.join(', ')}\n`;
      }),
    );
    expect(stdout).toBe(lines.join(''));
  });

  test('with --json and a picture or paths from stdin', async () => {
    const classes = (await expected('star/b.png', 3)).map((each) => ({
      ...each,
      probability: expect.closeTo(each.probability, 6),
    }));
    const bytes = readFileSync(join(pets, 'star/b.png'));
    const picture = await run(['classify', place('model'), '-', '--json'], { stdin: [bytes] });
    expect(parseLines(picture.stdout)).toEqual([{ picture: '-', classes }]);
    const path = join(pets, 'star/b.png');
    const paths = await run(['classify', place('model'), '-', '--json'], {
      stdin: [`${path}\n${path.slice(0, 5)}`, path.slice(5)],
    });
    expect(parseLines(paths.stdout)).toEqual([
      { picture: path, classes },
      { picture: path, classes },
    ]);
  });

  test('names what cannot be read, goes on, and ends with 1', async () => {
    writeFileSync(place('broken.png'), 'nonsense');
    const good = join(pets, 'star/a.png');
    const all = [place('broken.png'), good, place('nowhere.png'), good];
    const { code, stdout, stderr } = await run(['classify', place('model'), '-', '--json'], {
      stdin: [all.join('\n')],
    });
    expect(code).toBe(1);
    const lines = parseLines(stdout);
    expect(lines.map(({ picture }) => picture)).toEqual(all);
    expect(lines.map(({ error }) => error !== undefined)).toEqual([true, false, true, false]);
    expect(lines[1].classes).toEqual(lines[3].classes);
    expect(stderr).toMatch(/broken\.png: expected the whole file of a picture.*\n.*nowhere\.png: expected a file/);
  });

  test('goes on likewise where a folder in a folder cannot be read, in their order', async () => {
    const photos = place('photos');
    mkdirSync(photos);
    for (const name of ['a.png', 'z.png']) writeFileSync(join(photos, name), smoothPng(40, 40));
    // It leads to itself, which even root cannot follow.
    symlinkSync('knot', join(photos, 'knot'));
    const { code, stdout, stderr } = await run(['classify', place('model'), photos, '--json']);
    expect(code).toBe(1);
    const [first, knot, last] = parseLines(stdout);
    expect(knot).toEqual({ picture: join(photos, 'knot'), error: expect.stringContaining('ELOOP') });
    expect([first.picture, last.picture]).toEqual([join(photos, 'a.png'), join(photos, 'z.png')]);
    expect(first.classes).toHaveLength(3);
    expect(last.classes).toEqual(first.classes);
    expect(stderr).toBe(`${knot.error}\n`);
  });

  test('of nothing but an empty folder says that, and ends with 1', async () => {
    mkdirSync(place('empty'));
    const stderr = `${place('empty')}: a folder without pictures\n`;
    expect(await run(['classify', place('model'), place('empty')])).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('summary', () => {
  const stripped = (description: object) => JSON.parse(JSON.stringify(description));

  test('of options is that of describeMobilenetV1', async () => {
    const args = [
      'summary',
      '--alpha',
      '0.5',
      '--size',
      '64',
      '--classes',
      '7',
      '--stem-stride',
      '1',
      '--padding',
      'keras',
    ];
    const { code, stdout } = await run([...args, '--json']);
    expect(code).toBe(0);
    const options = { alpha: 0.5, inputShape: [64, 64, 3], classes: 7, stemStride: 1, padding: 'keras' } as const;
    expect(parseLines(stdout)[0]).toEqual(stripped(describeMobilenetV1(options)));
    const text = (await run(args)).stdout;
    expect(text.replaceAll(/ +/g, ' ')).toBe(`${describeMobilenetV1(options)}\n`.replaceAll(/ +/g, ' '));
  });

  test('of a model is the same, layer for layer', async () => {
    const { stdout } = await run(['summary', place('model'), '--json']);
    expect(parseLines(stdout)[0]).toEqual(stripped(describeMobilenetV1(NETWORK)));
  });

  test('of other models counts dense layers and models inside', () => {
    const inner = sequential({ layers: [layers.flatten({ inputShape: [2, 3, 1] }), layers.dense({ units: 5 })] });
    const outer = sequential({ layers: [inner, layers.dense({ units: 4 })] });
    const { layers: found, multiplyAdds, parameters } = describeModel(outer);
    expect(found.map(({ kind, multiplyAdds }) => [kind, multiplyAdds])).toEqual([
      ['Flatten', 0],
      ['Dense', 30],
      ['Dense', 20],
    ]);
    expect({ multiplyAdds, parameters }).toEqual({ multiplyAdds: 50, parameters: 59 });
    outer.dispose();
  });

  test('of a layer that is called at two sizes takes the first', () => {
    const shared = layers.conv2d({ filters: 2, kernelSize: 1 });
    const large = input({ shape: [4, 4, 1] });
    const small = layers.maxPooling2d({ poolSize: 2 }).apply(large);
    const twice = modelOf({ inputs: large, outputs: [shared.apply(large), shared.apply(small)] as never });
    const found = describeModel(twice).layers.find(({ kind }) => kind === 'Conv2D');
    expect(found).toMatchObject({ outputShape: [null, 4, 4, 2], multiplyAdds: 32 });
    twice.dispose();
  });
});

describe('convert', () => {
  const weightsOf = (of: LayersModel) => of.getWeights().map((weight) => [...weight.dataSync()]);
  const NETWORK_OPTIONS = '--alpha 0.1 --size 32 --classes 10'.split(' ');

  test.each(['m.keras', 'm.h5', 'm.safetensors', 'm.onnx'])('to %s and back keeps every bit', async (name) => {
    const there = await run(['convert', place('model'), place(name), '--json']);
    expect(there.code, there.stderr).toBe(0);
    expect(parseLines(there.stdout)[0]).toMatchObject({
      format: name.slice(2),
      bytes: readFileSync(place(name)).length,
      parameters: model.countParams(),
    });
    writeFileSync(place('labels.txt'), `${pictures.classNames.join('\n')}\n\n`);
    const labels = ['--labels', place('labels.txt')];
    const back = await run([
      'convert',
      place(name),
      place(`back ${name.slice(2)} folder`),
      ...NETWORK_OPTIONS,
      ...labels,
    ]);
    expect(back.code, back.stderr).toBe(0);
    const loaded = await loadModel(place(`back ${name.slice(2)} folder`));
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    expect(getModelMetadata(loaded).classNames).toEqual(pictures.classNames);
    loaded.dispose();
  });

  test.each(['keras', 'h5', 'onnx', 'safetensors', 'tflite'])(
    'to %s and back keeps what the model knows of pictures and classes; other labels take the place of its own',
    async (extension) => {
      const own = mobilenetV1(NETWORK);
      const metadata = {
        classNames: pictures.classNames,
        inputRange: [-2, 2],
        fit: 'stretch',
        cropFraction: 0.875,
        cropAfterResize: true,
        interpolation: 'bicubic',
      } as const;
      setModelMetadata(own, metadata);
      await saveModel(own, place('knowing'));
      own.dispose();
      const [file, folder] = [place(`knowing.${extension}`), place(`knowing ${extension} folder`)];
      const there = await run(['convert', place('knowing'), file]);
      expect(there.code, there.stderr).toBe(0);
      const metadataOf = async (options: readonly string[]) => {
        const back = await run(['convert', file, folder, ...NETWORK_OPTIONS, ...options]);
        expect(back.code, back.stderr).toBe(0);
        const loaded = await loadModel(folder);
        const found = getModelMetadata(loaded);
        loaded.dispose();
        return found;
      };
      expect(await metadataOf([])).toEqual({ ...metadata, inputShape: [32, 32, 3] });
      const labels = pictures.classNames.map((name) => `${name} of mine`);
      writeFileSync(place('mine.txt'), labels.join('\n'));
      expect((await metadataOf(['--labels', place('mine.txt')])).classNames).toEqual(labels);
    },
  );

  test('to TFLite and back keeps the function', async () => {
    expect((await run(['convert', place('model'), place('m.tflite'), '--quantize', 'float16'])).code).toBe(0);
    const back = await run(['convert', place('m.tflite'), place('back-tflite'), ...NETWORK_OPTIONS]);
    expect(back.code, back.stderr).toBe(0);
    const loaded = await loadModel(place('back-tflite'));
    const few = takeDataset(pictures, 20);
    const [there, here] = [await evaluateClassifier(loaded, few), await evaluateClassifier(model, few)];
    loaded.dispose();
    expect(there.loss).toBeCloseTo(here.loss, 2);
  });

  test('a smaller tfjs folder', async () => {
    const outcome = await run(['convert', place('model'), place('small'), '--quantize', 'int8']);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout).toMatch(/^Wrote .*small: tfjs, [\d,]+ parameters in \d+\.\d kB\n$/);
    const loaded = await loadModel(place('small'));
    expect(loaded.countParams()).toBe(model.countParams());
    loaded.dispose();
  });

  test('refuses more or fewer labels than there are classes', async () => {
    writeFileSync(place('two.txt'), 'a\nb');
    for (const network of [[], NETWORK_OPTIONS]) {
      const outcome = await run([
        'convert',
        place('model'),
        place('mislabelled'),
        '--labels',
        place('two.txt'),
        ...network,
      ]);
      expect(outcome).toMatchObject({ code: 1, stdout: '' });
      expect(outcome.stderr).toMatch(/two\.txt: expected a name for each of the model's 10 classes.*, received 2\.\n$/);
    }
    expect(existsSync(place('mislabelled'))).toBe(false);
  });

  test('of a head with a background drops its name too, and refuses a head without one', async () => {
    const own = mobilenetV1({ ...NETWORK, classes: 3 });
    await saveModel(own, place('background'));
    own.dispose();
    writeFileSync(place('three.txt'), 'background\na\nb');
    const args = ['convert', place('background'), place('foreground'), '--alpha', '0.1', '--size', '32'];
    const options = ['--head', 'dropBackground', '--labels', place('three.txt')];
    const outcome = await run([...args, '--classes', '2', ...options]);
    expect(outcome.code, outcome.stderr).toBe(0);
    const loaded = await loadModel(place('foreground'));
    expect(getModelMetadata(loaded).classNames).toEqual(['a', 'b']);
    loaded.dispose();
    const refused = await run([...args, '--classes', '3', ...options]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('expected a file with one class more than the model');
  });

  test('writes nothing where the weights are of another network, and leaves what was there', async () => {
    await run(['convert', place('model'), place('w.safetensors')]);
    writeFileSync(place('old.onnx'), 'old');
    const outcome = await run(['convert', place('w.safetensors'), place('old.onnx'), '--alpha', '0.2', '--size', '32']);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(readFileSync(place('old.onnx'), 'utf8')).toBe('old');
    const missing = await run(['convert', place('no model'), place('new.onnx')]);
    expect(missing.code).toBe(1);
    expect(existsSync(place('new.onnx'))).toBe(false);
  });
});
