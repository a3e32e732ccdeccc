import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { graphModel } from '../../bench/graphModel.mjs';
import { foldedLayers } from '../../bench/inferenceLayers.mjs';
import { type Activation, clampStep, functionStep, relu, relu6, softmax } from '../../src/formats/activation';
import { type AssignWeightsOptions, assignWeights } from '../../src/formats/assignWeights';
import { exportKeras } from '../../src/formats/exportKeras';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { exportTflite } from '../../src/formats/exportTflite';
import { loadWeights } from '../../src/formats/loadWeights';
import type { NetworkWeights, Values, WeightedLayer } from '../../src/formats/networkWeights';
import type { WeightSource } from '../../src/formats/weightSource';
import type { MobilenetV1Options } from '../../src/model/options';
import { chain } from '../graph/chains';
import { expectFailure } from '../io/models';
import { bitsOf, narrowNet, outputsOf, relativeError } from './networks';
import { layersModelFile, pickedOf, SHARD, type TfjsModel } from './tfjsFiles';

beforeAll(() => setBackend('cpu'));

/** A MobileNetV1 whose activations are ReLU without a bound, as users build it. */
function reluNet(options: MobilenetV1Options = {}): LayersModel {
  const model = narrowNet(options);
  for (const layer of model.layers) if (layer.getClassName() === 'ReLU') Object.assign(layer, { maxValue: undefined });
  return model;
}

/** As TensorFlow's converter fuses it; the helper of the benchmarks knows ReLU6 only. */
function fusedGraph(model: LayersModel): TfjsModel {
  const { artifacts, weights } = graphModel(foldedLayers(model), 32);
  const { weightSpecs, ...header } = artifacts;
  const [relu6, relu] = ['Relu6', 'Relu'].map((op) => Buffer.from(op).toString('base64'));
  const json = JSON.stringify({ ...header, weightsManifest: [{ paths: [SHARD], weights: weightSpecs }] });
  return { json: JSON.parse(json.replaceAll(relu6!, relu!)), shard: Uint8Array.from(weights) };
}

const writers: [string, (model: LayersModel) => Promise<WeightSource>][] = [
  ['.keras', exportKeras],
  ['.h5', (model) => exportKeras(model, { format: 'h5' })],
  ['.onnx', exportOnnx],
  ['.onnx of float16', (model) => exportOnnx(model, { precision: 'float16' })],
  ['.tflite', exportTflite],
  ['a layers model', async (model) => pickedOf(await layersModelFile(model))],
];

describe.each(writers)('%s of a MobileNetV1 that was trained with plain ReLU', (_, write) => {
  test('is refused by one with ReLU6, which stays as it was', async () => {
    const [source, model] = [await write(reluNet({ seed: 1 })), narrowNet({ seed: 2 })];
    const before = bitsOf(model);
    await expectFailure(
      () => loadWeights(model, source),
      'invalid-argument',
      "expected ReLU behind layer 'conv1_bn', as in the network of these weights, received ReLU6. Build the model",
      'ignoreActivations: true',
    );
    expect(bitsOf(model)).toEqual(before);
  });

  test('goes into one with plain ReLU, and into any by ignoreActivations', async () => {
    const from = reluNet({ seed: 1 });
    const source = await write(from);
    const model = reluNet({ seed: 2 });
    await loadWeights(model, source);
    expect(relativeError(outputsOf(model), outputsOf(from))).toBeLessThan(0.01);
    const { layers } = await loadWeights(narrowNet({ seed: 2 }), source, { ignoreActivations: true });
    expect(layers).toHaveLength(55);
  });

  test('and weights of ReLU6 are refused by a model with plain ReLU', async () => {
    const [source, model] = [await write(narrowNet({ seed: 1 })), reluNet()];
    await expectFailure(() => loadWeights(model, source), 'invalid-argument', 'expected ReLU6', 'received ReLU.');
  });

  test('is refused without a top, too', async () => {
    const bare = { includeTop: false, pooling: 'avg' } as const;
    const [source, model] = [await write(reluNet({ ...bare, seed: 1 })), narrowNet(bare)];
    await expectFailure(() => loadWeights(model, source), 'invalid-argument', 'expected ReLU');
  });
});

test('a graph model of plain ReLU', async () => {
  const [source, model] = [pickedOf(fusedGraph(narrowNet({ seed: 1 }))), narrowNet()];
  await expectFailure(() => loadWeights(model, source), 'invalid-argument', "expected ReLU behind layer 'conv1_bn'");
  expect((await loadWeights(reluNet(), source)).format).toBe('tfjs-graph');
});

test('safetensors files do not tell, and are not compared', async () => {
  const source = await exportSafetensors(reluNet({ seed: 1 }), { layout: 'keras' });
  expect((await loadWeights(narrowNet(), source)).layers).toHaveLength(55);
});

describe('what is compared', () => {
  const values = (...shape: number[]): Values => ({
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5),
  });
  const conv = (activation?: Activation): WeightedLayer => ({
    kind: 'conv',
    name: 'c',
    kernel: values(1, 1, 2, 2),
    activation,
  });
  const norm = (activation?: Activation): WeightedLayer => {
    return { kind: 'batchNorm', name: 'n', movingMean: values(2), movingVariance: values(2), activation };
  };
  const file = (...list: WeightedLayer[]): NetworkWeights => ({ format: 'onnx', where: 'a/file', layers: list });
  const conv2d = (activation: 'linear' | 'relu' = 'linear') =>
    layers.conv2d({ filters: 2, kernelSize: 1, useBias: false, activation, name: 'conv' });
  const bn = () => layers.batchNormalization({ name: 'bn' });
  const load = (model: LayersModel, weights: NetworkWeights, options?: AssignWeightsOptions) => () =>
    assignWeights(model, weights, options).layers;

  test('a folded batch norm: what stands behind the convolution of the file', () => {
    const model = chain([2, 2, 2], conv2d(), bn(), layers.reLU({ maxValue: 6 }));
    expect(load(model, file(conv([relu6])))()).toEqual(['conv', 'bn']);
    expect(load(model, file(conv([relu])))).toThrow("expected ReLU behind layer 'bn'");
    expect(load(model, file(conv()))()).toEqual(['conv', 'bn']);
  });

  test('what lies between kernel and batch norm', () => {
    const model = chain([2, 2, 2], conv2d('relu'), bn());
    expect(load(model, file(conv([relu]), norm([])))()).toEqual(['conv', 'bn']);
    expect(load(model, file(conv([relu6]), norm([])))).toThrow("expected ReLU6 behind layer 'conv'");
    expect(load(model, file(conv(), norm()))()).toEqual(['conv', 'bn']);
  });

  test.each([{}, { ignoreActivations: true }])(
    'a batch norm on the other side of an activation is another network, whatever is ignored: %o',
    (options) => {
      const before = chain([2, 2, 2], conv2d(), bn(), layers.reLU({ maxValue: 6 }));
      const behind = chain([2, 2, 2], conv2d('relu'), bn());
      const text = 'conv (conv [1,1,2,2], batch norm) is not c (conv [1,1,2,2], ReLU6, batch norm)';
      expect(load(before, file(conv([relu6]), norm([])), options)).toThrow(text);
      expect(load(behind, file(conv([]), norm([relu])), options)).toThrow(
        'conv (conv [1,1,2,2], ReLU, batch norm) is not c',
      );
    },
  );

  test("levels of a quantised file must lie in the model's clamp", () => {
    const model = chain([2, 2, 2], conv2d(), bn(), layers.reLU({ maxValue: 6 }));
    expect(load(model, file(conv([{ kind: 'levels', low: 0, high: 4 }])))()).toHaveLength(2);
    expect(load(model, file(conv([{ kind: 'levels', low: 0, high: 9 }])))).toThrow('expected values from 0 to 9');
  });

  test('the last activation of a network without a top', () => {
    const model = chain([2, 2, 2], conv2d(), bn(), layers.reLU({ maxValue: 6 }), layers.globalAveragePooling2d({}));
    expect(load(model, file(conv([]), norm([relu6])))()).toHaveLength(2);
    expect(load(model, file(conv([]), norm([relu])))).toThrow("expected ReLU behind layer 'bn'");
  });

  test('a class of the user is not compared', () => {
    class Mine extends layers.Layer {
      static className = 'Mine';
      override getClassName = () => 'Mine';
      override call = (inputs: never) => inputs;
    }
    const model = chain([2, 2, 2], conv2d(), new Mine({}));
    expect(load(model, file(conv([relu])))()).toEqual(['conv']);
  });

  test('at the end a softmax is free, but no other function', () => {
    const model = chain([2, 2, 2], conv2d(), layers.softmax());
    for (const free of [[], [softmax], [functionStep('log_softmax')]]) {
      expect(load(model, file(conv(free)))()).toEqual(['conv']);
    }
    expect(load(model, file(conv([functionStep('sigmoid')])))).toThrow(
      "a/file: expected sigmoid behind layer 'conv', as in the network of these weights, received no activation.",
    );
    expect(load(model, file(conv([clampStep(-1, 1)])))).toThrow('expected a clamp from -1 to 1');
  });
});
