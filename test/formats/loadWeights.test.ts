import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportKeras } from '../../src/formats/exportKeras';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { exportTflite } from '../../src/formats/exportTflite';
import type { HeadChoice } from '../../src/formats/heads';
import { type LoadWeightsOptions, loadWeights } from '../../src/formats/loadWeights';
import type { WeightSource } from '../../src/formats/weightSource';
import { saveModel } from '../../src/io/saveModel';
import { type ModelMetadata, setModelMetadata } from '../../src/model/metadata';
import { expectFailure, folderListener, withServer } from '../io/models';
import { goldenFile } from './kerasFiles';
import { bitsOf, narrowNet } from './networks';
import { layersModelFile, pickedOf } from './tfjsFiles';

let root: string;
let from: LayersModel;
let bytes: Uint8Array<ArrayBuffer>;
let bits: Map<string, number[]>;

beforeAll(async () => {
  await setBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'loadWeights-'));
  from = narrowNet({ seed: 1 });
  bits = bitsOf(from);
  bytes = await exportSafetensors(from);
  await writeFile(join(root, 'weights of mine'), bytes);
  await saveModel(from, join(root, 'model'));
  // Shards in a folder of their own.
  await mkdir(join(root, 'deep/below'), { recursive: true });
  const json = JSON.parse(await readFile(join(root, 'model/model.json'), 'utf8'));
  const shard = await readFile(join(root, 'model', json.weightsManifest[0].paths[0]));
  json.weightsManifest[0].paths = ['below/shard.bin'];
  await writeFile(join(root, 'deep/best.json'), JSON.stringify(json));
  await writeFile(join(root, 'deep/below/shard.bin'), shard);
});
afterAll(() => rm(root, { recursive: true }));

const pick = async (...paths: string[]) =>
  Promise.all(paths.map(async (path) => new File([await readFile(join(root, path))], path.replace(/.*\//, ''))));

/** Loads into a fresh model, and gives the fractions that were reported. */
async function load(source: WeightSource, options: LoadWeightsOptions = {}) {
  const model = narrowNet({ seed: 2 });
  const progress: number[] = [];
  const result = await loadWeights(model, source, { onProgress: (fraction) => progress.push(fraction), ...options });
  expect(bitsOf(model)).toEqual(bits);
  model.dispose();
  return { ...result, progress };
}

describe('sources', () => {
  test.each<[string, string, () => WeightSource | Promise<WeightSource>]>([
    ['a path, whatever the name', 'safetensors', () => join(root, 'weights of mine')],
    ['a file: URL', 'safetensors', () => pathToFileURL(join(root, 'weights of mine'))],
    ['a file: URL as text', 'safetensors', () => pathToFileURL(join(root, 'weights of mine')).href],
    ['bytes', 'safetensors', () => bytes],
    ['bytes in the middle of a buffer', 'safetensors', () => Uint8Array.from([1, 2, 3, ...bytes]).subarray(3)],
    ["Node's Buffer", 'safetensors', () => readFile(join(root, 'weights of mine'))],
    [
      'a SharedArrayBuffer',
      'safetensors',
      () => {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        return shared;
      },
    ],
    ['an ArrayBuffer', 'safetensors', () => bytes.slice().buffer],
    ['a Blob', 'safetensors', () => new Blob([bytes])],
    ['a File', 'safetensors', () => new File([bytes], 'w')],
    ['a picked file', 'safetensors', () => pick('weights of mine')],
    ['a folder', 'tfjs-layers', () => join(root, 'model')],
    ['a folder with a slash', 'tfjs-layers', () => `${join(root, 'model')}/`],
    ['the path of a model.json', 'tfjs-layers', () => join(root, 'model/model.json')],
    ['JSON of another name, and a shard in a folder below', 'tfjs-layers', () => join(root, 'deep/best.json')],
    ['picked files', 'tfjs-layers', () => pick('deep/below/shard.bin', 'weights of mine', 'deep/best.json')],
  ])('%s', async (_, format, source) => {
    const { progress, ...result } = await load(await source());
    expect(result).toEqual({ format, layers: expect.any(Array), skipped: [], metadata: {} });
    if (progress.length > 0) expect(progress.at(-1)).toBe(1);
  });

  test('an http address: its query goes with every request, the progress to 1', async () => {
    const asked: string[] = [];
    const serve = folderListener(root);
    await withServer(
      (request, response) => {
        asked.push(request.url!);
        return serve(request, response);
      },
      async (url) => {
        const { progress } = await load(`${url}/deep/best.json?token=7`);
        expect(progress).toEqual([1]);
        expect((await load(new URL(`${url}/deep/best.json`))).format).toBe('tfjs-layers');
      },
    );
    expect(asked.slice(0, 2)).toEqual(['/deep/best.json?token=7', '/deep/below/shard.bin?token=7']);
  });

  test('a download that says how long it is reports its share, by a fetch of the user', async () => {
    const half = bytes.length >> 1;
    const body = () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.slice(0, half));
          controller.enqueue(bytes.slice(half));
          controller.close();
        },
      });
    const fetch = async () => new Response(body(), { headers: { 'content-length': `${bytes.length}` } });
    const { progress } = await load('https://example.com/weights', { fetch });
    expect(progress).toEqual([half / bytes.length, 1]);
  });
});

const formats: [string, (model: LayersModel) => Promise<WeightSource>][] = [
  ['.keras', exportKeras],
  ['.h5', (model) => exportKeras(model, { format: 'h5' })],
  ['.onnx', exportOnnx],
  ['.onnx that takes bytes', (model) => exportOnnx(model, { embedPreprocessing: true })],
  ['.tflite', exportTflite],
  ['.safetensors', exportSafetensors],
  ['.safetensors with names of Keras', (model) => exportSafetensors(model, { layout: 'keras' })],
  ['model.json', async (model) => pickedOf(await layersModelFile(model))],
];

describe.each(formats)('what the model knew comes out of %s', (_, write) => {
  const classNames = ['Blüte', '花', 'a"\\', 'd', 'e'];
  const metadata: ModelMetadata = {
    classNames,
    inputRange: [
      [-2, 2],
      [-1, 1],
      [0, 1],
    ],
    fit: 'stretch',
    cropFraction: 0.875,
    cropAfterResize: true,
    interpolation: 'bicubic',
  };

  test('all of it', async () => {
    const model = narrowNet({ seed: 1 });
    setModelMetadata(model, metadata);
    const loaded = await loadWeights(narrowNet(), await write(model));
    expect(loaded).toMatchObject({ inputRange: metadata.inputRange, metadata });
    expect(Object.keys(loaded.metadata).sort()).toEqual(Object.keys(metadata).sort());
  });

  test('names of classes where they are those of the model', async () => {
    const model = narrowNet({ seed: 1 });
    setModelMetadata(model, { classNames });
    const source = await write(model);
    const namesIn = async (to: LayersModel, head: HeadChoice) =>
      (await loadWeights(to, source, { head })).metadata.classNames;
    expect(await namesIn(narrowNet({ classes: 4 }), 'dropBackground')).toEqual(classNames.slice(1));
    expect(await namesIn(narrowNet(), 'skip')).toBeUndefined();
    setModelMetadata(model, { classNames: classNames.slice(1) });
    expect((await loadWeights(narrowNet(), await write(model))).metadata.classNames).toBeUndefined();
  });
});

test('an input range that the kind of a file tells is in the metadata, too', async () => {
  const { inputRange, metadata } = await loadWeights(
    narrowNet({ includeTop: false }),
    goldenFile('keras3_no_top.weights.h5'),
    {
      ignorePadding: true,
    },
  );
  expect([inputRange, metadata]).toEqual([[-1, 1], { inputRange: [-1, 1] }]);
});

describe('what goes wrong', () => {
  test.each<[string, unknown, object, string | RegExp]>([
    ['no source', undefined, {}, 'a path, a URL, bytes or files'],
    ['an empty path', '', {}, 'a path, a URL, bytes or files'],
    ['a number', 7, {}, 'a path, a URL, bytes or files'],
    ['a place of tfjs', 'indexeddb://x', {}, 'indexeddb://x'],
    ['an unknown head', 'x', { head: 'keep' }, "head to be 'load', 'skip', 'dropBackground'"],
    ['ignorePadding that is no flag', 'x', { ignorePadding: 1 }, 'ignorePadding to be true or false'],
    ['ignoreActivations that is no flag', 'x', { ignoreActivations: 1 }, 'ignoreActivations to be true or false'],
  ])('%s is refused', async (_, source, options, text) => {
    await expectFailure(() => loadWeights(from, source as string, options), 'invalid-argument', text);
  });

  test('a path that is not there, a shard that is not, a folder without a model', async () => {
    await expectFailure(
      () => loadWeights(from, join(root, 'gone')),
      'file-system',
      'no such path',
      'the path of a file of weights',
    );
    await expectFailure(() => loadWeights(from, root), 'file-system', 'a folder of');
    const [json] = await pick('deep/best.json');
    await expectFailure(
      () => loadWeights(from, [json!, new File([], 'a')]),
      'file-system',
      'shard.bin',
      'best.json names',
    );
    await expectFailure(() => loadWeights(from, [json!]), 'file-system', 'Pick all files');
  });

  test('picked files without a model.json', async () => {
    const files = await pick('weights of mine', 'deep/below/shard.bin');
    await expectFailure(() => loadWeights(from, files), 'invalid-data', 'weights of mine, shard.bin');
    await expectFailure(() => loadWeights(from, []), 'invalid-data', 'no files');
  });

  test('a server that has no such file', async () => {
    await withServer(folderListener(root), async (url) => {
      await expectFailure(() => loadWeights(from, `${url}/gone.h5`), 'download-failed', '404');
    });
  });

  test('an abort rejects with its reason, before and during a download', async () => {
    const reason = new Error('enough');
    const aborted = AbortSignal.abort(reason);
    await expect(loadWeights(from, bytes, { signal: aborted })).rejects.toBe(reason);
    const controller = new AbortController();
    const fetch = async (_: unknown, init?: RequestInit) => {
      controller.abort(reason);
      throw init?.signal?.reason;
    };
    await expect(loadWeights(from, 'https://example.com/w', { fetch, signal: controller.signal })).rejects.toBe(reason);
  });

  test("a file of another network leaves the model as it was, and the metadata is nobody's but the user's", async () => {
    const other = narrowNet({ alpha: 0.125, seed: 1 });
    await expectFailure(() => loadWeights(other, bytes), 'invalid-argument', /^loadWeights: expected weights that fit/);
    const metadata = from.getUserDefinedMetadata();
    await loadWeights(from, bytes);
    expect(from.getUserDefinedMetadata()).toEqual(metadata);
  });
});

test("{ head: 'skip' } leaves a head with a sigmoid alone", async () => {
  const net = (seed: number) => {
    const base = narrowNet({ includeTop: false, pooling: 'avg', seed });
    const outputs = layers.dense({ units: 5, activation: 'sigmoid' }).apply(base.outputs[0]!) as SymbolicTensor;
    return model({ inputs: base.inputs, outputs });
  };
  const [from, to] = [net(1), net(2)];
  const before = [...to.layers.at(-1)!.getWeights()[0]!.dataSync()];
  const { skipped } = await loadWeights(to, await exportKeras(from), { head: 'skip' });
  expect(skipped).toEqual([to.layers.at(-1)!.name]);
  expect([...to.layers.at(-1)!.getWeights()[0]!.dataSync()]).toEqual(before);
});
