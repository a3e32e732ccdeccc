import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { io, tensor2d } from '@tensorflow/tfjs-core';
import { input, layers, loadLayersModel, model as modelOf, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadModel } from '../../src/io/loadModel';
import { saveModel } from '../../src/io/saveModel';
import { getModelMetadata, setModelMetadata } from '../../src/model/metadata';
import {
  denseNet,
  expectFailure,
  folderListener,
  footprint,
  predictOnes,
  smallConvNet,
  weightBits,
  withServer,
} from './models';

/** Begins the names of files that cannot be opened for writing. */
let unwritable: string | undefined;
/** After so many renames and removals no file can be changed any more, as if the process had been killed. */
let changesLeft = Number.POSITIVE_INFINITY;

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs/promises')>();
  const open: typeof fs.open = async (path, flags) => {
    if (unwritable !== undefined && flags === 'wx' && String(path).includes(`/${unwritable}`)) {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
    }
    return fs.open(path, flags);
  };
  const killed = () => changesLeft-- <= 0 && Promise.reject(Object.assign(new Error('killed'), { syscall: 'kill' }));
  const rename: typeof fs.rename = async (...args) => (await killed()) || fs.rename(...args);
  const remove: typeof fs.rm = async (...args) => (await killed()) || fs.rm(...args);
  return { ...fs, open, rename, rm: remove };
});

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'saveModel-'));
});
afterAll(() => rm(root, { recursive: true }));

let count = 0;
const newFolder = () => {
  folder = join(root, `${count++}`, 'model');
  return folder;
};
afterEach(() => {
  unwritable = undefined;
  changesLeft = Number.POSITIVE_INFINITY;
});

describe('a folder', () => {
  test('holds model.json of the tfjs layers format and one shard', async () => {
    const model = smallConvNet();
    setModelMetadata(model, { classNames: ['cat', 'dog'] });
    const result = await saveModel(model, newFolder());

    const bytes = 4 * model.countParams();
    expect(result.modelArtifactsInfo.weightDataBytes).toBe(bytes);
    expect(await readdir(folder)).toEqual(['group1-shard1of1.bin', 'model.json']);
    expect((await stat(join(folder, 'group1-shard1of1.bin'))).size).toBe(bytes);
    const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
    expect(json).toMatchObject({
      format: 'layers-model',
      generatedBy: expect.stringContaining('TensorFlow.js tfjs-layers'),
      convertedBy: null,
      modelTopology: { class_name: 'Sequential' },
      weightsManifest: [{ paths: ['group1-shard1of1.bin'] }],
      userDefinedMetadata: { classNames: ['cat', 'dog'], inputShape: [5, 4, 3] },
    });
    expect(json.weightsManifest[0].weights).toContainEqual({
      name: 'conv/kernel',
      shape: [3, 3, 3, 4],
      dtype: 'float32',
    });
    expect(json.trainingConfig).toBeUndefined();
  });

  test('is read by plain tf.loadLayersModel over http: bits, prediction, metadata', async () => {
    const model = smallConvNet({ seed: 7 });
    setModelMetadata(model, { classNames: ['cat', 'dog'], inputRange: [-1, 1] });
    await saveModel(model, newFolder());
    const loaded = await withServer(folderListener(folder), (url) => loadLayersModel(`${url}/model.json`));
    expect(weightBits(loaded)).toEqual(weightBits(model));
    expect(predictOnes(loaded)).toEqual(predictOnes(model));
    expect(getModelMetadata(loaded)).toEqual({
      classNames: ['cat', 'dog'],
      inputRange: [-1, 1],
      inputShape: [5, 4, 3],
    });
  });

  test('comes back bit-equal, NaN, infinity and -0 among the weights', async () => {
    const model = denseNet(2);
    const odd = tensor2d([
      [Number.NaN, Number.NEGATIVE_INFINITY],
      [-0, 1e-42],
    ]);
    model.setWeights([odd]);
    await saveModel(model, newFolder());
    expect(weightBits(await loadModel(folder))).toEqual(weightBits(model));
  });

  test('trainable flags come back', async () => {
    await saveModel(smallConvNet(), newFolder());
    const trainable = (await loadModel(folder)).layers.map((layer) => [layer.name, layer.trainable]);
    expect(Object.fromEntries(trainable)).toEqual({
      conv: true,
      norm: false,
      depthwise: true,
      flat: true,
      dense: true,
    });
  });

  test.each(['the model inside', 'the model'])('layers come back frozen where %s is, as a whole', async (what) => {
    const backbone = smallConvNet({ classes: 4 });
    const pictures = input({ shape: [5, 4, 3] });
    const head = layers.dense({ units: 3, name: 'head' });
    const model = modelOf({ inputs: pictures, outputs: head.apply(backbone.apply(pictures)) as never });
    (what === 'the model' ? model : backbone).trainable = false;
    await saveModel(model, newFolder());
    const loaded = await loadModel(folder);
    expect(predictOnes(loaded)).toEqual(predictOnes(model));
    const trainable = ({ trainableWeights }: typeof model) => trainableWeights.map(({ originalName }) => originalName);
    expect(trainable(loaded)).toEqual(what === 'the model' ? [] : ['head/kernel', 'head/bias']);
    expect(trainable(loaded)).toEqual(trainable(model));
    // It is not changed: its layers are trained again where it is.
    expect(backbone.layers.map((layer) => layer.trainable)).toEqual([true, false, true, true, true]);
  });

  test('a wrapped layer of a model that is frozen as a whole comes back frozen', async () => {
    const model = sequential();
    model.add(layers.timeDistributed({ layer: layers.dense({ units: 2 }), inputShape: [3, 4] }));
    model.trainable = false;
    await saveModel(model, newFolder());
    expect((await loadModel(folder)).trainableWeights).toEqual([]);
  });

  test('weights above 4 MB are cut into shards of 4 MB, across the weights', async () => {
    const model = denseNet(1500);
    await saveModel(model, newFolder());
    const sizes = ['1of3', '2of3', '3of3'].map(
      async (shard) => (await stat(join(folder, `group1-shard${shard}.bin`))).size,
    );
    expect(await Promise.all(sizes)).toEqual([4194304, 4194304, 9_000_000 - 2 * 4194304]);
    const loaded = await withServer(folderListener(folder), (url) => loadLayersModel(`${url}/model.json`));
    expect(
      loaded
        .getWeights()[0]!
        .dataSync()
        .every((value) => value === 1),
    ).toBe(true);
    expect(
      (await loadModel(folder))
        .getWeights()[0]!
        .dataSync()
        .every((value) => value === 1),
    ).toBe(true);
  });

  test('takes a smaller model where a larger one was, and loads the smaller one', async () => {
    await saveModel(denseNet(1200), newFolder());
    const model = smallConvNet();
    await saveModel(model, folder);
    expect(weightBits(await loadModel(folder))).toEqual(weightBits(model));
  });

  test('other files in it stay', async () => {
    await saveModel(smallConvNet(), newFolder());
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await saveModel(smallConvNet({ seed: 2 }), folder);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test.each(['group2-shard1of1.bin', 'model.json'])('a full disk at %s leaves the old model loadable', async (file) => {
    const old = smallConvNet({ seed: 3 });
    await saveModel(old, newFolder());
    const names = await readdir(folder);
    const model = smallConvNet({ seed: 4 });
    unwritable = file;
    await expectFailure(() => saveModel(model, folder), 'file-system', 'ENOSPC', 'Free some space');
    expect(weightBits(await loadModel(folder))).toEqual(weightBits(old));
    expect(await readdir(folder)).toEqual(names);
  });

  test('killed at any moment, it leaves the old model or the new one', async () => {
    // Of two shards and of one.
    const models = [denseNet(1200), smallConvNet({ seed: 4 })];
    const [old, next] = models.map((model) => JSON.stringify(weightBits(model)));
    await saveModel(models[0]!, newFolder());
    const seen: string[] = [];
    for (let changes = 0, isDone = false; !isDone; changes++) {
      changesLeft = changes;
      const outcome = await saveModel(models[1]!, folder).catch(() => undefined);
      isDone = outcome !== undefined && changesLeft >= 0;
      changesLeft = Number.POSITIVE_INFINITY;
      seen.push(JSON.stringify(weightBits(await loadModel(folder))));
      await saveModel(models[0]!, folder);
      expect((await readdir(folder)).filter((name) => name.endsWith('.bin')).length).toBeLessThanOrEqual(3);
    }
    expect(seen.length).toBeGreaterThan(3);
    expect(seen[0]).toBe(old);
    expect(seen.at(-1)).toBe(next);
    for (const one of seen) expect([old, next]).toContain(one);
  });

  test('a model in the place of another leaves none of its files', async () => {
    await saveModel(denseNet(1200), newFolder());
    await saveModel(smallConvNet(), folder);
    expect(await readdir(folder)).toEqual(['group2-shard1of1.bin', 'model.json']);
    await saveModel(smallConvNet(), folder);
    expect(await readdir(folder)).toEqual(['group1-shard1of1.bin', 'model.json']);
  });

  test('of saves that overlap the last one stands, and nothing else', async () => {
    const models = [3, 4, 5].map((seed) => smallConvNet({ seed }));
    await saveModel(models[0]!, newFolder());
    await Promise.all(models.map((model) => saveModel(model, folder)));
    expect(weightBits(await loadModel(folder))).toEqual(weightBits(models[2]!));
    expect(await readdir(folder)).toHaveLength(2);
  });

  test.each(['{', '{}', '{"weightsManifest":[{}]}'])('a model.json of %s is replaced', async (text) => {
    const model = smallConvNet();
    await saveModel(model, newFolder());
    await writeFile(join(folder, 'model.json'), text);
    await saveModel(model, folder);
    expect(weightBits(await loadModel(folder))).toEqual(weightBits(model));
  });

  test('a full disk leaves no half-written new folder', async () => {
    const model = smallConvNet();
    unwritable = 'model.json';
    await expectFailure(() => saveModel(model, newFolder()), 'file-system', 'ENOSPC');
    expect(await readdir(join(folder, '..'))).toEqual([]);
  });

  test('a model without weights can be saved and loaded', async () => {
    await saveModel(sequential({ layers: [layers.flatten({ inputShape: [2, 2, 1] })] }), newFolder());
    expect(predictOnes(await loadModel(folder))).toEqual([1, 1, 1, 1]);
  });

  test('a model with a frozen model inside comes back', async () => {
    const backbone = smallConvNet({ classes: 4 });
    for (const layer of backbone.layers) layer.trainable = false;
    const model = sequential({ layers: [backbone, layers.dense({ units: 3, name: 'head' })] });
    await saveModel(model, newFolder());
    const loaded = await loadModel(folder);
    expect(weightBits(loaded)).toEqual(weightBits(model));
    expect(predictOnes(loaded)).toEqual(predictOnes(model));
  });

  test('a model with the same layer names in two models inside is refused, for it could not be loaded', async () => {
    const again = layers.reshape({ targetShape: [5, 4, 3] });
    const model = sequential({ layers: [smallConvNet({ classes: 60 }), again, smallConvNet()] });
    const text = 'two weights named conv/kernel';
    await expectFailure(() => saveModel(model, newFolder()), 'invalid-argument', 'saveModel', text);
  });

  test('saving makes and keeps no tensors, and leaves the metadata of the model alone', async () => {
    const model = smallConvNet();
    const before = footprint();
    await saveModel(model, newFolder());
    expect(footprint()).toEqual(before);
    expect(model.getUserDefinedMetadata()).toBeUndefined();
  });
});

describe('other targets', () => {
  test('metadata travels through a handler, also into plain tf.loadLayersModel', async () => {
    const model = smallConvNet();
    setModelMetadata(model, { classNames: ['cat', 'dog'], inputRange: [0, 1] });
    let artifacts: io.ModelArtifacts = {};
    const result = { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } };
    const handler = io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return result;
    });
    expect(await saveModel(model, handler)).toBe(result);
    for (const loaded of [await loadModel(io.fromMemory(artifacts)), await loadLayersModel(io.fromMemory(artifacts))]) {
      expect(weightBits(loaded)).toEqual(weightBits(model));
      expect(getModelMetadata(loaded)).toEqual({
        classNames: ['cat', 'dog'],
        inputRange: [0, 1],
        inputShape: [5, 4, 3],
      });
    }
  });

  test('a URL goes to the store that tfjs has for it, and comes back from there', async () => {
    const stored = new Map<string, io.ModelArtifacts>();
    io.registerSaveRouter((url) => {
      if (typeof url !== 'string' || !url.startsWith('shelf://')) return null as unknown as io.IOHandler;
      return {
        save: async (artifacts) => {
          if (url === 'shelf://full') throw new Error('quota exceeded');
          stored.set(url, artifacts);
          return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
        },
      };
    });
    io.registerLoadRouter((url) => {
      if (typeof url !== 'string' || !url.startsWith('shelf://')) return null as unknown as io.IOHandler;
      return { load: async () => stored.get(url) ?? Promise.reject(new Error('nothing there')) };
    });
    const model = smallConvNet();
    await saveModel(model, 'shelf://mine');
    expect(weightBits(await loadModel('shelf://mine'))).toEqual(weightBits(model));
    await expectFailure(() => saveModel(model, 'shelf://full'), 'file-system', 'shelf://full', 'quota exceeded');
    await expectFailure(() => loadModel('shelf://yours'), 'file-system', 'shelf://yours', 'nothing there');
  });

  test('an http address gets a POST with both files', async () => {
    const bodies: string[] = [];
    const model = smallConvNet();
    await withServer(
      async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        bodies.push(`${request.method} ${Buffer.concat(chunks).toString('latin1')}`);
        response.writeHead(request.url === '/models' ? 200 : 403).end();
      },
      async (url) => {
        await saveModel(model, `${url}/models`);
        expect(bodies[0]).toMatch(/^POST .*filename="model.json".*filename="model.weights.bin"/s);
        await expectFailure(() => saveModel(model, `${url}/closed`), 'file-system', '/closed', '403');
      },
    );
  });

  test.each([
    ['', 'a folder, a URL'],
    ['indexeddb://mine', 'in browsers only'],
    ['a/model.json', 'Leave the file name out'],
    [{}, 'a save method'],
    [undefined, 'a folder, a URL'],
  ])('%j is refused', async (target, text) => {
    const model = smallConvNet();
    await expectFailure(() => saveModel(model, target as string), 'invalid-argument', 'saveModel', text);
  });

  test('an error of a handler that the user gave passes as it is', async () => {
    const mine = new RangeError('mine');
    await expect(saveModel(smallConvNet(), { save: () => Promise.reject(mine) })).rejects.toBe(mine);
  });
});
