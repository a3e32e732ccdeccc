import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { io, ones } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/io/loadModel';
import { saveModel } from '../../src/io/saveModel';
import {
  denseNet,
  editJson,
  expectFailure,
  folderListener,
  footprint,
  type LooseJson,
  predictOnes,
  smallConvNet,
  weightBits,
  withServer,
} from './models';

let root: string;
let folder: string;
let model: LayersModel;
let bits: number[][];
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'loadModel-'));
  model = smallConvNet();
  bits = weightBits(model);
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = join(root, `${count++}`);
  await saveModel(model, folder);
});

const SHARD = 'group1-shard1of1.bin';
const shardPath = () => join(folder, SHARD);
const filesOf = async (...names: string[]) =>
  Promise.all(names.map(async (name) => new File([await readFile(join(folder, name))], name)));

describe('sources', () => {
  test.each([
    ['a folder', () => folder],
    ['a folder with a slash behind it', () => `${folder}/`],
    ['the path of its model.json', () => join(folder, 'model.json')],
    ['a file: URL', () => pathToFileURL(folder).href],
  ])('%s', async (_, source) => {
    expect(weightBits(await loadModel(source()))).toEqual(bits);
  });

  test('a JSON file of another name', async () => {
    await rename(join(folder, 'model.json'), join(folder, 'best.json'));
    expect(weightBits(await loadModel(join(folder, 'best.json')))).toEqual(bits);
  });

  test('shards in a folder below, and a group of several shards', async () => {
    const bytes = await readFile(shardPath());
    await mkdir(join(folder, 'weights'));
    await writeFile(join(folder, 'weights', 'a.bin'), bytes.subarray(0, 101));
    await writeFile(join(folder, 'weights', 'b.bin'), bytes.subarray(101));
    await editJson(folder, (json) => {
      json.weightsManifest[0].paths = ['./weights/a.bin', 'weights/b.bin'];
    });
    expect(weightBits(await loadModel(folder))).toEqual(bits);
  });

  test('an http address, its query sent with every request', async () => {
    const asked: string[] = [];
    const serve = folderListener(folder);
    const loaded = await withServer(
      (request, response) => {
        asked.push(request.url!);
        return serve(request, response);
      },
      (url) => loadModel(`${url}/model.json?token=1`),
    );
    expect(weightBits(loaded)).toEqual(bits);
    expect(asked).toEqual(['/model.json?token=1', `/${SHARD}?token=1`]);
  });

  test('files that the user picked, in any order, others among them', async () => {
    await writeFile(join(folder, 'notes.txt'), 'mine');
    expect(weightBits(await loadModel(await filesOf('notes.txt', SHARD, 'model.json')))).toEqual(bits);
  });

  test('an IOHandler', async () => {
    const { weightData, ...json } = await artifacts();
    expect(weightBits(await loadModel({ load: async () => ({ ...json, weightData }) }))).toEqual(bits);
    const halves = [weightData.slice(0, 100), weightData.slice(100)];
    expect(weightBits(await loadModel({ load: async () => ({ ...json, weightData: halves }) }))).toEqual(bits);
  });

  test('options: progress, a fetch of one’s own, a signal', async () => {
    const fractions: number[] = [];
    await loadModel(folder, { onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions).toEqual([1]);

    const fetch = async (url: string | URL | Request) =>
      new Response(await readFile(join(folder, new URL(`${url}`).pathname)));
    expect(weightBits(await loadModel('http://nowhere/model.json', { fetch }))).toEqual(bits);

    const reason = new Error('enough');
    const options = { signal: AbortSignal.abort(reason), fetch: globalThis.fetch };
    await expect(loadModel('http://127.0.0.1:9/model.json', options)).rejects.toBe(reason);
  });

  test('a load makes the tensors of the model and no others', async () => {
    const before = footprint();
    const loaded = await loadModel(folder);
    const { numTensors, variables } = footprint();
    expect(numTensors - before.numTensors).toBe(loaded.weights.length);
    expect(variables - before.variables).toBe(loaded.weights.length);
    loaded.dispose();
    expect(footprint()).toEqual(before);
  });
});

describe('formats', () => {
  test('quantised weights of tfjs-converter: uint8, uint16, float16', async () => {
    const square = { name: 'square/kernel', shape: [2, 2], dtype: 'float32' };
    await rm(folder, { recursive: true });
    await saveModel(denseNet(2), folder);
    const store = async (quantization: object, bytes: Uint8Array) => {
      await editJson(folder, (json) => {
        json.weightsManifest[0].weights = [{ ...square, quantization }];
      });
      await writeFile(shardPath(), bytes);
      return [...(await loadModel(folder)).getWeights()[0]!.dataSync()];
    };
    const uint8 = { dtype: 'uint8', scale: 0.5, min: -1 };
    expect(await store(uint8, Uint8Array.of(0, 1, 2, 255))).toEqual([-1, -0.5, 0, 126.5]);
    const uint16 = new Uint8Array(Uint16Array.of(0, 1, 2, 65535).buffer);
    expect(await store({ dtype: 'uint16', scale: 1, min: 0 }, uint16)).toEqual([0, 1, 2, 65535]);
    const float16 = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800, 0).buffer);
    expect(await store({ dtype: 'float16' }, float16)).toEqual([1, -2, 0.5, 0]);

    await writeFile(shardPath(), float16.subarray(1));
    await expectFailure(() => loadModel(folder), 'invalid-data', '8 bytes', '7 bytes');
  });

  test('a model saved with its optimizer comes without it', async () => {
    const trained = denseNet(2);
    trained.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await trained.fit(ones([4, 2]), ones([4, 2]), { epochs: 1, verbose: 0 });
    let saved: io.ModelArtifacts = {};
    const handler = io.withSaveHandler(async (given) => {
      saved = given;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    await trained.save(handler, { includeOptimizer: true });
    expect(saved.weightSpecs!.length).toBeGreaterThan(1);
    const before = footprint();
    const loaded = await loadModel(io.fromMemory(saved));
    expect(weightBits(loaded)).toEqual(weightBits(trained));
    expect(loaded.optimizer).toBeUndefined();
    loaded.dispose();
    expect(footprint()).toEqual(before);
  });

  test('a weight of the optimizer with the name of a weight of a layer does not take its place', async () => {
    const { weightSpecs, weightData, ...json } = await artifacts();
    const entry = { name: 'conv/kernel', shape: [1], dtype: 'float32', group: 'optimizer' };
    const longer = new Uint8Array(weightData.byteLength + 4);
    longer.set(new Uint8Array(weightData));
    const load = async () => ({ ...json, weightSpecs: [...weightSpecs, entry], weightData: longer.buffer });
    expect(weightBits(await loadModel({ load }))).toEqual(bits);
  });

  test('an entry whose quantization is undefined, as a handler may leave it', async () => {
    const { weightSpecs, ...rest } = await artifacts();
    const specs = weightSpecs.map((spec: object) => ({ ...spec, quantization: undefined }));
    expect(weightBits(await loadModel({ load: async () => ({ ...rest, weightSpecs: specs }) }))).toEqual(bits);
  });

  test('the topology of Keras, with model_config, and no format', async () => {
    await editJson(folder, ({ modelTopology, weightsManifest }) => ({
      modelTopology: { keras_version: '2.1.4', backend: 'tensorflow', model_config: modelTopology },
      weightsManifest,
    }));
    expect(weightBits(await loadModel(folder))).toEqual(bits);
  });

  test('weight names with the cell of a recurrent layer, as TensorFlow 2.2 writes them', async () => {
    await editJson(folder, (json) => {
      json.weightsManifest[0].weights[0].name = 'conv/conv_cell/kernel';
    });
    expect(weightBits(await loadModel(folder))).toEqual(bits);
  });
});

describe('bad files: an error, and no tensor stays', () => {
  test('no such path', () => expectFailure(() => loadModel(join(root, 'none')), 'file-system', 'none', 'no such path'));

  test('a folder without model.json, its files named', async () => {
    await rm(join(folder, 'model.json'));
    await expectFailure(() => loadModel(folder), 'file-system', folder, `a folder of ${SHARD}`, 'model.json');
  });

  test('an empty folder', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expectFailure(() => loadModel(empty), 'file-system', 'a folder of no files');
  });

  test('a missing shard', async () => {
    await rm(shardPath());
    await expectFailure(() => loadModel(folder), 'file-system', SHARD, 'no such file');
  });

  test.each([
    ['one byte short', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['one byte long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
  ])('a shard %s: bytes expected and found, and the file', async (_, damage) => {
    const whole = await readFile(shardPath());
    const damaged = damage(whole);
    await writeFile(shardPath(), damaged);
    const sizes = [`expected ${whole.length} bytes`, `received ${damaged.length} bytes`, `has ${damaged.length}`];
    await expectFailure(() => loadModel(folder), 'invalid-data', folder, SHARD, ...sizes);
  });

  test.each([
    ['not JSON', '{"modelTopology', 'expected JSON'],
    ['a list', '[]', 'a JSON object'],
    ['null', 'null', 'a JSON object'],
    ['something else', '{"name": "package"}', 'no modelTopology'],
    ['a graph model by its nodes', '{"modelTopology": {"node": []}}', 'a graph model'],
  ])('model.json: %s', async (_, text, expected) => {
    await writeFile(join(folder, 'model.json'), text);
    await expectFailure(() => loadModel(folder), 'invalid-data', join(folder, 'model.json'), expected);
  });

  const WEIGHT = 'weightsManifest.0.weights.0';
  const PATHS = 'weightsManifest.0.paths';
  test.each<[string, string, unknown, ...string[]]>([
    ['a graph model by its format', 'format', 'graph-model', 'a graph model', 'loadGraphModel'],
    ['a topology of nothing', 'modelTopology', {}, 'modelTopology of a layers model'],
    [
      'an unknown layer',
      'modelTopology.config.layers.0.class_name',
      'Conv9D',
      'Unknown layer: Conv9D',
      'registerClass',
    ],
    ['an unknown layer behind others', 'modelTopology.config.layers.4.class_name', 'Conv9D', 'tfjs-layers can build'],
    ['metadata that is no object', 'userDefinedMetadata', 'cat', 'userDefinedMetadata'],
    ['no manifest', 'weightsManifest', undefined, 'a weightsManifest'],
    ['a manifest of numbers', 'weightsManifest', [1], 'paths and weights'],
    ['an unknown dtype', `${WEIGHT}.dtype`, 'float64', 'conv/kernel', 'float64'],
    ['a dtype that Object.prototype has', `${WEIGHT}.dtype`, 'constructor', 'conv/kernel', 'constructor'],
    ['a shape of fractions', `${WEIGHT}.shape`, [0.5, 216], 'conv/kernel', 'a list of sizes'],
    ['a negative shape', `${WEIGHT}.shape`, [-1, -108], 'conv/kernel', 'a list of sizes'],
    ['a weight without a name', `${WEIGHT}.name`, undefined, 'weights with names'],
    ['a weight named __proto__', `${WEIGHT}.name`, '__proto__', 'weight __proto__'],
    ['a quantization without scale', `${WEIGHT}.quantization`, { dtype: 'uint8' }, 'conv/kernel', 'scale'],
    ['an unknown quantization', `${WEIGHT}.quantization`, { dtype: 'int4' }, 'conv/kernel', 'int4'],
    ['a wrong shape', `${WEIGHT}.shape`, [3, 3, 4, 3], 'float32 [3,3,3,4] for weight conv/kernel', '[3,3,4,3]'],
    ['a wrong dtype', `${WEIGHT}.dtype`, 'int32', 'float32 [3,3,3,4] for weight conv/kernel', 'int32 [3,3,3,4]'],
    ['an extra weight', `${WEIGHT}.name`, 'conv9/kernel', 'weight conv9/kernel', 'modelTopology'],
    ['a weight twice', 'weightsManifest.0.weights.1.name', 'conv/kernel', 'each weight once', 'conv/kernel'],
    ['a missing weight', `${WEIGHT}.group`, 'optimizer', 'all 9 weights', 'none for conv/kernel'],
    ['a path that climbs', PATHS, [`../x/${SHARD}`], 'stay in the folder', '../x/'],
    ['a path that climbs later', PATHS, [`x/../../${SHARD}`], 'stay in the folder'],
    ['a path that climbs on Windows', PATHS, ['x\\..\\..\\y'], 'stay in the folder'],
    ['an absolute path', PATHS, ['/etc/passwd'], 'stay in the folder', '/etc/passwd'],
    ['an absolute path of Windows', PATHS, ['C:\\x'], 'stay in the folder'],
    ['an address as path', PATHS, ['http://127.0.0.1/x'], 'stay in the folder'],
    ['a path that is no string', PATHS, [{}], 'stay in the folder'],
  ])('model.json: %s', async (_, place, value, ...texts) => {
    await editJson(folder, (json) => put(json, place, value));
    await expectFailure(() => loadModel(folder), 'invalid-data', join(folder, 'model.json'), ...texts);
  });

  test.each(['modelTopology', 'userDefinedMetadata'])('model.json: the key __proto__ in %s', async (part) => {
    await editJson(folder, (json) =>
      JSON.stringify(json).replace(`"${part}":{`, `"${part}":{"a":[{"__proto__":{"polluted":1}}],`),
    );
    await expectFailure(() => loadModel(folder), 'invalid-data', '__proto__');
    expect(({} as LooseJson).polluted).toBeUndefined();
  });

  test('http: a missing model.json, a missing shard (not its 404 page as weights), a truncated one', async () => {
    await withServer(folderListener(folder), async (url) => {
      await expectFailure(() => loadModel(`${url}/none.json`), 'download-failed', `${url}/none.json`, '404');
      await writeFile(shardPath(), 'short');
      await expectFailure(() => loadModel(`${url}/model.json`), 'invalid-data', `${url}/${SHARD} has 5`);
      await rm(shardPath());
      await expectFailure(() => loadModel(`${url}/model.json`), 'download-failed', SHARD, '404');
    });
  });

  test('picked files without a model.json, and without a shard', async () => {
    await expectFailure(async () => loadModel(await filesOf(SHARD)), 'invalid-data', 'a model.json', SHARD);
    await expectFailure(async () => loadModel(await filesOf('model.json')), 'file-system', SHARD);
  });

  test('an IOHandler: too few bytes, no weights, no load method', async () => {
    const good = await artifacts();
    const weightData = good.weightData.slice(4);
    const load = (changed: object) => () => loadModel({ load: async () => ({ ...good, ...changed }) });
    await expectFailure(load({ weightData }), 'invalid-data', `${good.weightData.byteLength} bytes`);
    await expectFailure(load({ weightData: undefined }), 'invalid-data', 'weightData');
    await expectFailure(load({ modelTopology: new ArrayBuffer(8) }), 'invalid-data', 'layers model');
    await expectFailure(() => loadModel({}), 'invalid-argument', 'a load method');
  });

  test.each([
    ['', 'a path'],
    [undefined, 'a path'],
    [7, 'a path'],
    ['indexeddb://mine', 'in browsers only'],
    ['downloads://mine', 'only be saved to'],
  ])('the source %j', async (source, text) => {
    await expectFailure(() => loadModel(source as string), 'invalid-argument', text);
  });
});

const IMAGENET = '../shared/imagenet/mobilenet_v1_0.25_224';
const present = existsSync(IMAGENET);

test.skipIf(!present)(
  `the ImageNet weights of alpha 0.25: 475,544 parameters in 55 shards${present ? '' : ` (skipped: no ${IMAGENET})`}`,
  async () => {
    const fractions: number[] = [];
    const loaded = await loadModel(IMAGENET, { onProgress: (fraction) => fractions.push(fraction) });
    expect(loaded.countParams()).toBe(475_544);
    expect(fractions.length).toBe(55);
    const probabilities = predictOnes(loaded);
    expect(probabilities.length).toBe(1000);
    expect(probabilities.reduce((total, value) => total + value)).toBeCloseTo(1, 5);

    await saveModel(loaded, folder);
    const again = await loadModel(folder);
    expect(weightBits(again)).toEqual(weightBits(loaded));
    expect(predictOnes(again)).toEqual(probabilities);
  },
);

/** Sets what stands at a place such as `weightsManifest.0.paths`; undefined removes it. */
function put(json: LooseJson, place: string, value: unknown): void {
  const keys = place.split('.');
  const parent = keys.slice(0, -1).reduce((object, key) => object[key], json);
  parent[keys.at(-1)!] = value;
}

async function artifacts() {
  const { weightsManifest, ...json } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  const weightData = Uint8Array.from(await readFile(shardPath())).buffer;
  return { ...json, weightSpecs: weightsManifest[0].weights, weightData };
}

test.each([
  ['bytes', Buffer.from('{}')],
  ['paths', ['model.json', 'weights.bin']],
])('%s are no source, which is said', async (_, source) => {
  await expect(loadModel(source as never)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(loadModel(source as never)).rejects.toThrow(/a path, a URL as a string, files or an IOHandler/);
});
