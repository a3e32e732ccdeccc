import '@tensorflow/tfjs-backend-wasm';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import * as pbf from 'pbf';
import { beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../package.json';
import { syntheticCifar10 } from '../../src/data/syntheticCifar10';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { decodeModel } from '../../src/formats/onnx/decodeModel';
import { ELEMENT } from '../../src/formats/onnx/schema';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { branching, CLASSES, tinyNet } from '../classify/models';
import { chain } from '../graph/chains';
import { keepForPython, largestError, randomPictures, runOnnx, runTfjs, toPlanes } from './onnxSessions';
import { buildVariant, pictureShape, variants } from './onnxVariants';

beforeAll(() => setBackend('wasm'));

test.each(Object.entries(variants))('%s: onnxruntime-web is within 2e-5 of tfjs', async (name, variant) => {
  const model = buildVariant(variant);
  const { batch = 3, options = {} } = variant;
  const shape = pictureShape(model, batch);
  const pictures = randomPictures(shape);
  const isPlanes = options.inputLayout === 'NCHW';
  const [n, height, width, channels] = shape;
  const output = runTfjs(model, pictures, shape);
  const sizes = model.outputs[0]!.shape.slice(1) as number[];
  const isMap = sizes.length === 3 && isPlanes;
  const expected = isMap ? toPlanes(output, [n, sizes[0]!, sizes[1]!, sizes[2]!]) : output;

  const tensors = memory().numTensors;
  const file = await exportOnnx(model, options);
  expect(memory().numTensors).toBe(tensors);

  const input = isPlanes
    ? { pictures: toPlanes(pictures, shape), shape: [n, channels, height, width] }
    : { pictures, shape };
  keepForPython(name, { file, ...input, expected, tolerance: 2e-5 });
  const { data, dims, names } = await runOnnx(file, input.pictures, input.shape);
  expect(dims).toEqual([n, ...(isMap ? [sizes[2], sizes[0], sizes[1]] : sizes)]);
  expect(names).toEqual([model.inputNames[0], model.outputNames[0]]);
  expect(largestError(data, expected)).toBeLessThan(2e-5);
  model.dispose();
});

test('the file says who wrote it, what it knows of pictures and classes, and has the weights by their names', async () => {
  const model = tinyNet();
  setModelMetadata(model, { cropFraction: 0.875, interpolation: 'bicubic' });
  const { graph, metadata, ...file } = decodeModel(pbf, await exportOnnx(model), 'model.onnx');
  expect(file).toEqual({ irVersion: 8, opset: 17, producerName: 'mobilenet-v1-ts', producerVersion: version });
  expect(Object.fromEntries(metadata)).toEqual({
    classNames: JSON.stringify(CLASSES),
    inputRange: '[-1,1]',
    cropFraction: '0.875',
    interpolation: '"bicubic"',
    padding: '"same"',
  });
  expect(graph.initializers.map(({ name }) => name)).toEqual(
    expect.arrayContaining(model.weights.map(({ originalName }) => originalName)),
  );
  expect(graph.nodes.map(({ name }) => name).slice(0, 4)).toEqual(['to_nchw', 'conv1', 'conv1_bn', 'conv1_bn/clip']);
  expect(graph.inputs).toEqual([{ name: 'picture', type: ELEMENT.float32, dims: ['N', 8, 8, 3] }]);
  expect(graph.outputs).toEqual([{ name: 'preds', type: ELEMENT.float32, dims: ['N', 6] }]);
});

test('layers of nested models that share their names keep them apart', async () => {
  const block = () => chain([6, 6, 3], layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3 }));
  const first = block();
  const second = chain([4, 4, 3], layers.conv2d({ name: 'conv', filters: 2, kernelSize: 3 }));
  const model = sequential({ layers: [first, second] });
  const { graph } = decodeModel(pbf, await exportOnnx(model), 'model.onnx');
  const names = graph.initializers.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(graph.nodes.length);
});

describe('what cannot be is refused', () => {
  test.each<[options: object, expected: string]>([
    [{ dynamicBatch: 3 }, 'dynamicBatch to be true or false, received 3'],
    [{ inputLayout: 'CHWN' }, "inputLayout to be 'NHWC', 'NCHW', received 'CHWN'"],
    [{ embedPreprocessing: 'yes' }, 'embedPreprocessing'],
    [{ precision: 'int4' }, "precision to be 'float32', 'float16', 'int8', received 'int4'"],
    [{ opset: 12 }, 'opset to be an integer from 13 to 22, received 12'],
    [{ opset: 23 }, 'opset'],
    [{ opset: 17.5 }, 'opset'],
    [{ calibration: syntheticCifar10().train }, "no calibration without precision 'int8', received float32"],
    [{ precision: 'int8', calibration: { ...syntheticCifar10().train, size: 0 } }, 'at least one picture'],
  ])('%o', async (options, expected) => {
    const outcome = exportOnnx(tinyNet(), options);
    await expect(outcome).rejects.toMatchObject({ name: 'MobilenetError', code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(expected);
  });

  test.each<[title: string, build: () => LayersModel, expected: string]>([
    ['a model that is no chain', branching, "layer 'meeting' (Add), which has 2 inputs"],
    [
      'a layer that the stages cannot express',
      () => mobilenetV1({ alpha: 0.05, inputShape: [32, 32, 3], includeTop: false, pooling: 'max' }),
      "layer 'global_max_pooling2d_1' (GlobalMaxPooling2D)",
    ],
    [
      'pictures of any size',
      () => chain([null, null, 3], layers.conv2d({ filters: 2, kernelSize: 3 })),
      "layer 'picture' (InputLayer), which leaves the size of its pictures open",
    ],
    [
      'an output of another shape',
      () =>
        chain(
          [4, 4, 2],
          layers.conv2d({ filters: 3, kernelSize: 1 }),
          layers.reshape({ targetShape: [16, 3], name: 'rows' }),
        ),
      "an output [N,classes] or [N,4,4,3], received [N,16,3] of layer 'rows'",
    ],
  ])('%s', async (_title, build, expected) => {
    const outcome = exportOnnx(build());
    await expect(outcome).rejects.toMatchObject({ name: 'MobilenetError', code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(expected);
  });

  test('a range in the metadata that does not fit the channels', async () => {
    const model = tinyNet();
    setModelMetadata(model, { inputRange: [[0, 1]] });
    await expect(exportOnnx(model)).rejects.toThrow('one range for each of 3 channels');
  });
});
