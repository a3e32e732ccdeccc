import '@tensorflow/tfjs-backend-cpu';
import { dispose, setBackend } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWeightFile } from '../../src/formats/loadWeightFile';
import { loadWeights } from '../../src/formats/loadWeights';
import { loadModel } from '../../src/io/loadModel';
import { setModelMetadata } from '../../src/model/metadata';
import { createRandom, type Random } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';
import { expectFailure, footprint, type LooseJson } from '../io/models';
import { fuzz, mutateBytes } from './mutate';
import { mutateJson } from './mutateJson';
import { bitsOf, golden, narrowNet, outputsOf, readJson, relativeError } from './networks';
import { encode, fileOf, layersModelFile, pickedOf, SHARD, type TfjsModel } from './tfjsFiles';

beforeAll(() => setBackend('cpu'));

const { logits, sequential } = readJson('tfjs/logits.json');

describe('of Keras 3', () => {
  test.each([32, 33, 37])('%i pixels: loadWeights gives its logits', async (size) => {
    const model = narrowNet({ padding: 'keras', inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, golden('tfjs/keras3.model'));
    expect([format, layers.length, skipped]).toEqual(['tfjs-layers', 55, []]);
    expect(relativeError(outputsOf(model), logits[size])).toBeLessThan(1e-5);
  });

  test('loadModel builds the model', async () => {
    const model = await loadModel(golden('tfjs/keras3.model').href);
    expect(relativeError(outputsOf(model), logits[32])).toBeLessThan(1e-5);
  });

  test('a Sequential model with another inside: loadModel builds it, loadWeights reads it', async () => {
    const loaded = await loadModel(golden('tfjs/sequential.model').href);
    expect(relativeError(outputsOf(loaded), sequential)).toBeLessThan(1e-5);
    const model = chain(
      [8, 8, 3],
      layers.depthwiseConv2d({ kernelSize: 3 }),
      layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      layers.reshape({ targetShape: [1, 1, 3] }),
      layers.conv2d({ filters: 4, kernelSize: 1, activation: 'relu6' }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    );
    await loadWeights(model, golden('tfjs/sequential.model'));
    expect(relativeError(outputsOf(model), sequential)).toBeLessThan(1e-5);
  });

  test('the padding is that of its layers', async () => {
    const model = narrowNet({ padding: 'same', inputShape: [33, 33, 3] });
    await expectFailure(() => loadWeights(model, golden('tfjs/keras3.model')), 'invalid-argument', "padding: 'keras'");
  });
});

describe('of ours', () => {
  test.each([undefined, 'float16', 'int8'] as const)(
    'quantize: %s: the weights that loadModel gives',
    async (quantize) => {
      const from = narrowNet({ seed: 1 });
      setModelMetadata(from, { inputRange: [0, 1] });
      const file = await layersModelFile(from, quantize);
      const to = narrowNet({ seed: 2 });
      const result = await loadWeights(to, pickedOf(file));
      expect(result).toMatchObject({ format: 'tfjs-layers', skipped: [], inputRange: [0, 1] });
      const loaded = await loadModel(pickedOf(file));
      expect(bitsOf(to)).toEqual(bitsOf(loaded));
      if (quantize === undefined) expect(bitsOf(to)).toEqual(bitsOf(from));
    },
  );

  test.each([
    ['uint8', Uint8Array],
    ['uint16', Uint16Array],
  ] as const)("quantised by tfjs's converter: %s", async (dtype, Steps) => {
    const build = () => chain([4, 4, 2], layers.conv2d({ filters: 3, kernelSize: 1, useBias: false, name: 'conv' }));
    const file = await layersModelFile(build());
    file.json.weightsManifest[0].weights[0].quantization = { dtype, scale: 0.1, min: -0.3 };
    const steps = Steps.of(0, 1, 2, 3, 200, 255);
    const to = build();
    await loadWeights(to, pickedOf({ json: file.json, shard: new Uint8Array(steps.buffer) }));
    const expected = Float32Array.from(steps, (step) => step * 0.1 - 0.3);
    expect([...to.getWeights()[0]!.dataSync()]).toEqual([...expected]);
    expect(bitsOf(await loadModel(pickedOf({ json: file.json, shard: new Uint8Array(steps.buffer) })))).toEqual(
      bitsOf(to),
    );
  });

  test('models inside of models, whose calls are counted from 1', async () => {
    const build = () => {
      const inner = chain([4, 4, 3], layers.conv2d({ filters: 2, kernelSize: 1, name: 'inner' }));
      const picture = input({ shape: [4, 4, 3] });
      const scores = layers
        .globalAveragePooling2d({ dataFormat: 'channelsLast' })
        .apply(inner.apply(picture) as SymbolicTensor);
      return modelOf({
        inputs: picture,
        outputs: layers.dense({ units: 2, name: 'outer' }).apply(scores as SymbolicTensor) as SymbolicTensor,
      });
    };
    const [from, to] = [build(), build()];
    randomizeWeights(from, createRandom(1));
    const file = await layersModelFile(from);
    await loadWeights(to, pickedOf(file));
    expect(bitsOf(to)).toEqual(bitsOf(from));
    expect(bitsOf(await loadModel(pickedOf(file)))).toEqual(bitsOf(from));
  });

  test('what bytes are mapped to: by ImageNet where the classes are its, else unknown', async () => {
    const rangeOf = async (model: LayersModel) => {
      const { json, shard } = await layersModelFile(model);
      const inputRange = async (file: TfjsModel) => (await loadWeights(model, pickedOf(file))).inputRange;
      // A file of ours has what the model knows.
      expect(await inputRange({ json, shard })).toBeUndefined();
      return inputRange({ json: { ...json, userDefinedMetadata: undefined }, shard });
    };
    expect(await rangeOf(narrowNet({ classes: 1000 }))).toEqual([-1, 1]);
    expect(await rangeOf(narrowNet())).toBeUndefined();
  });
});

test('names of layers may have slashes, and files more than one JSON', async () => {
  const named = () =>
    chain(
      [4, 4, 3],
      layers.conv2d({ filters: 2, kernelSize: 1, name: 'block1/conv' }),
      layers.conv2d({ filters: 2, kernelSize: 1, name: 'block2/conv' }),
      layers.globalAveragePooling2d({}),
    );
  const [from, to] = [named(), named()];
  const picked = pickedOf(await layersModelFile(from)) as File[];
  await loadWeights(to, [new File(['{}'], 'metadata.json'), ...picked]);
  expect(bitsOf(to)).toEqual(bitsOf(from));
});

/** A model of two layers, and a file of it. */
async function smallFile(): Promise<{ model: LayersModel; file: TfjsModel }> {
  const model = chain(
    [4, 4, 3],
    layers.conv2d({ filters: 2, kernelSize: 1, name: 'conv' }),
    layers.batchNormalization({ name: 'bn' }),
    layers.globalAveragePooling2d({ dataFormat: 'channelsLast', name: 'pool' }),
    layers.dense({ units: 2, name: 'dense' }),
  );
  return { model, file: await layersModelFile(model) };
}

describe('files that are refused, by loadWeights and, where they are no model, by loadModel', () => {
  const layersOf = (json: LooseJson) => json.modelTopology.config.layers;
  const weightsOf = (json: LooseJson) => json.weightsManifest[0].weights;

  test.each<[string, (json: LooseJson) => void, string | RegExp]>([
    ['a path out of the folder', (json) => (json.weightsManifest[0].paths = ['../weights.bin']), 'stay in the folder'],
    ['an absolute path', (json) => (json.weightsManifest[0].paths = ['/etc/passwd']), 'stay in the folder'],
    ['a shard twice', (json) => (json.weightsManifest[0].paths = [SHARD, SHARD]), `${SHARD} twice`],
    [
      'a key __proto__',
      (json) => Object.defineProperty(json.modelTopology.config, '__proto__', { value: {}, enumerable: true }),
      '__proto__',
    ],
    [
      'a layer that waits for one that never comes',
      (json) => (layersOf(json)[2].inbound_nodes = [[['gone', 0, 0, {}]]]),
      'call 0 of gone forever',
    ],
    [
      'a call that is never made',
      (json) => (layersOf(json)[2].inbound_nodes = [[['conv', 3, 0, {}]]]),
      'call 3 of conv forever',
    ],
    ['a call that reads nothing', (json) => (layersOf(json)[2].inbound_nodes = [[]]), 'call 0 of bn forever'],
    ['layers in a circle', (json) => (layersOf(json)[1].inbound_nodes = [[['bn', 0, 0, {}]]]), 'forever'],
    ['two layers of one name', (json) => layersOf(json).push(structuredClone(layersOf(json)[1])), 'two of one name'],
    ['a layer without a name', (json) => delete layersOf(json)[1].name, 'name and inbound_nodes'],
    ['calls that are none', (json) => (layersOf(json)[1].inbound_nodes = [[[0, 0, 0]]]), 'tensors as [layer'],
    ['a call below 0', (json) => (layersOf(json)[1].inbound_nodes = [[['picture', -1, 0]]]), 'tensors as [layer'],
    ['no outputs', (json) => delete json.modelTopology.config.output_layers, 'lists of the tensors'],
    ['grouped convolutions', (json) => (layersOf(json)[1].config.groups = 2), 'layer conv with groups 1'],
    ['another dtype', (json) => (weightsOf(json)[0].dtype = 'int32'), /float32/],
  ])('%s', async (_, edit, text) => {
    const { model, file } = await smallFile();
    edit(file.json);
    await expectFailure(() => loadWeightFile(model, fileOf(file)), 'invalid-data', text);
    await expectFailure(() => loadModel(pickedOf(file)), 'invalid-data', text);
  });

  test.each<[string, (json: LooseJson) => void, string | RegExp]>([
    ['a weight less', (json) => (weightsOf(json)[0].name = 'other/kernel'), 'the weight conv/kernel, received bias'],
    ['weights of no layer', (json) => (weightsOf(json)[1].name = 'x/conv/kernel'), 'others: x/conv'],
    [
      'weights of two layers of one name',
      (json) => [0, 1].map((i) => (weightsOf(json)[i].name = `${i}/conv/kernel`)),
      'end in /conv',
    ],
    ['a kernel of other axes', (json) => (weightsOf(json)[0].shape = [3, 2]), '4 axes of conv/kernel, received [3,2]'],
    [
      'weights of another kind of layer',
      (json) => (layersOf(json)[2].class_name = 'LayerNormalization'),
      'bn (LayerNormalization)',
    ],
    [
      'two inputs',
      (json) =>
        (layersOf(json)[3].inbound_nodes = [
          [
            ['bn', 0, 0],
            ['conv', 0, 0],
          ],
        ]),
      '2 inputs of pool',
    ],
    ['two outputs', (json) => json.modelTopology.config.output_layers.push(['conv', 0, 0]), '2 inputs of its output'],
    [
      'a layer called twice',
      (json) => layersOf(json)[2].inbound_nodes.push([['conv', 0, 0]]),
      'bn, which is called more than once',
    ],
    ['channels that do not fit', (json) => (weightsOf(json)[0].shape = [1, 2, 3, 1]), 'fit one behind the other'],
  ])('%s', async (_, edit, text) => {
    const { model, file } = await smallFile();
    edit(file.json);
    await expectFailure(() => loadWeightFile(model, fileOf(file)), 'invalid-data', text);
  });

  test.each([
    '{"modelTopology":{"class_name":"Sequential","config":{"layers":[DEEP]}},"weightsManifest":[]}',
    '{"modelTopology":{"class_name":"Sequential","config":{"layers":[]}},"weightsManifest":DEEP}',
    '{"modelTopology":{"class_name":"Model","config":{"layers":[],"output_layers":DEEP}},"weightsManifest":[]}',
    '{"modelTopology":{"node":[{"name":"x","op":"Relu","input":DEEP}]},"weightsManifest":[]}',
  ])('a list of lists without an end: %s', async (text) => {
    const { model } = await smallFile();
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const bytes = new TextEncoder().encode(text.replace('DEEP', deep));
    await expectFailure(() => loadWeights(model, bytes), 'invalid-data');
    await expectFailure(() => loadModel([new File([bytes], 'model.json')]), 'invalid-data');
  });

  test('a model.json alone', async () => {
    const { model, file } = await smallFile();
    await expectFailure(() => loadWeights(model, encode(file.json)), 'invalid-data', `the file ${SHARD} beside it`);
  });

  test('a topology that is a layer and no model', async () => {
    const { file } = await smallFile();
    file.json.modelTopology = { class_name: 'Dense', config: { units: 2, name: 'dense' } };
    await expectFailure(() => loadModel(pickedOf(file)), 'invalid-data', 'It is a layer, and no model');
  });

  test('weights that are much larger than the file are never made', async () => {
    const { file } = await smallFile();
    file.json.modelTopology.config.layers[4].config.units = 2 ** 31;
    await expectFailure(() => loadModel(pickedOf(file)), 'invalid-data', 'larger than what is left of the file');
  });
});

const seed = 3;
describe(`2,700 damaged files are read or refused (seed ${seed})`, () => {
  test.each([undefined, 'float16', 'int8'] as const)('JSON of a model with quantize: %s', async (quantize) => {
    const { model } = await smallFile();
    const { json, shard } = await layersModelFile(model, quantize);
    const mutate = (_: Uint8Array, random: Random) => encode(mutateJson(json, random));
    const read = (bytes: Uint8Array<ArrayBuffer>) => loadWeightFile(model, { ...fileOf({ json, shard }), bytes });
    const refused = await fuzz(encode(json), read, { seed, count: 700, mutate });
    expect(refused).toBeGreaterThan(150);
    expect(refused).toBeLessThan(600);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('loadModel: JSON, and no tensor stays behind', async () => {
    const { file } = await smallFile();
    const mutate = (_: Uint8Array, random: Random) => encode(mutateJson(file.json, random));
    const before = footprint();
    const read = async (bytes: Uint8Array<ArrayBuffer>) => {
      const model = await loadModel([new File([file.shard], SHARD), new File([bytes], 'model.json')]);
      dispose(model.weights.map((weight) => weight.read()));
    };
    expect(await fuzz(encode(file.json), read, { seed, count: 300, mutate })).toBeGreaterThan(80);
    expect(footprint()).toEqual(before);
  });

  test('bytes of the JSON', async () => {
    const { model, file } = await smallFile();
    const read = (bytes: Uint8Array<ArrayBuffer>) => loadWeightFile(model, { ...fileOf(file), bytes });
    expect(await fuzz(encode(file.json), read, { seed, count: 300, mutate: mutateBytes })).toBeGreaterThan(200);
  });
});
