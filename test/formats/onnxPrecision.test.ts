import '@tensorflow/tfjs-backend-wasm';
import { memory, setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type InMemoryImageDataset, inMemoryDataset } from '../../src/data/imageDataset';
import { mapToRange } from '../../src/data/tensors';
import { type ExportOnnxOptions, exportOnnx } from '../../src/formats/exportOnnx';
import { type InputRange, meanStdRange } from '../../src/inputRange';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { picture, tinyNet } from '../classify/models';
import { chain, randomizeWeights } from '../graph/chains';
import { keepForPython, largestError, type PictureShape, runOnnx, runTfjs } from './onnxSessions';

beforeAll(() => setBackend('wasm'));

const pictures = Array.from({ length: 8 }, (_, i) => picture(35 * i + 34).data);
const bytes = Uint8Array.from(pictures.flatMap((data) => [...data]));
const shape: PictureShape = [8, 8, 8, 3];

function datasetOf(images: Uint8Array, size = 8): InMemoryImageDataset {
  const labels = new Int32Array(images.length / (size * size * 3));
  return inMemoryDataset({ images, labels, height: size, width: size, channels: 3, classNames: ['any'] });
}

/** Changes the first of a layer's weights. */
function editWeights(model: LayersModel, name: string, edit: (value: number, i: number) => number): void {
  const layer = model.getLayer(name);
  const [first, ...others] = layer.getWeights() as [Tensor, ...Tensor[]];
  const edited = tensor(first.dataSync<'float32'>().map(edit), first.shape);
  layer.setWeights([edited, ...others]);
  edited.dispose();
}

/** The largest error of the file that takes bytes, against tfjs in float32. */
async function errorOf(model: LayersModel, options: ExportOnnxOptions, inputRange: InputRange = [-1, 1]) {
  const expected = runTfjs(model, mapToRange(bytes, inputRange, 3), shape);
  const file = await exportOnnx(model, { embedPreprocessing: true, ...options });
  const { data } = await runOnnx(file, bytes, shape);
  return { error: largestError(data, expected), file, expected };
}

describe('bytes as input', () => {
  test.each<[string, InputRange]>([
    ['one range', [-1, 1]],
    ['a range for each channel', meanStdRange({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })],
  ])('%s: the file maps them as the library does, within 1e-5', async (name, inputRange) => {
    const model = tinyNet();
    setModelMetadata(model, { inputRange });
    const { error, file, expected } = await errorOf(model, {}, inputRange);
    expect(error).toBeLessThan(1e-5);
    keepForPython(`bytes, ${name}`, { file, pictures: bytes, shape, expected, tolerance: 1e-5 });
  });

  test('[N,C,H,W], and [0, 1] where the model does not say its range', async () => {
    const model = tinyNet({ metadata: false });
    const expected = runTfjs(model, mapToRange(bytes, [0, 1], 3), shape);
    const file = await exportOnnx(model, { embedPreprocessing: true, inputLayout: 'NCHW' });
    const planes = Uint8Array.from(bytes, (_, i) => {
      const [n, c, pixel] = [Math.floor(i / 192), Math.floor(i / 64) % 3, i % 64];
      return bytes[n * 192 + pixel * 3 + c]!;
    });
    expect(largestError((await runOnnx(file, planes, [8, 3, 8, 8])).data, expected)).toBeLessThan(1e-5);
  });
});

test('float16: half the size, and probabilities within 0.002', async () => {
  const { error, file, expected } = await errorOf(tinyNet(), { precision: 'float16' });
  expect(error).toBeLessThan(0.002);
  expect(error).toBeGreaterThan(1e-6);
  keepForPython('float16', { file, pictures: bytes, shape, expected, tolerance: 0.002 });
});

test('float16 of a whole MobileNet takes half of the bytes; int8 takes less than a third', async () => {
  const model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3], classes: 10 });
  randomizeWeights(model, createRandom(1));
  const sizeOf = async (precision: ExportOnnxOptions['precision']) => (await exportOnnx(model, { precision })).length;
  const float32 = await sizeOf('float32');
  expect((await sizeOf('float16')) / float32).toBeLessThan(0.52);
  expect((await sizeOf('int8')) / float32).toBeLessThan(0.33);
});

test('float16: a weight that it cannot hold is refused with its layer', async () => {
  const model = tinyNet();
  editWeights(model, 'conv_pw_1_bn', (gamma) => 1e6 * gamma);
  await expect(exportOnnx(model, { precision: 'float16' })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringMatching(/'conv_pw_1'.*precision: 'float32'/),
  });
});

describe('int8', () => {
  test('probabilities are within 0.03 of float32, and not the same', async () => {
    const { error, file, expected } = await errorOf(tinyNet(), { precision: 'int8' });
    expect(error).toBeLessThan(0.03);
    expect(error).toBeGreaterThan(1e-6);
    keepForPython('int8', { file, pictures: bytes, shape, expected, tolerance: 0.03 });
  });

  test('a calibration is used, and leaves no tensor', async () => {
    const model = tinyNet();
    const tensors = memory().numTensors;
    // Grey leaves the values of some stages below 6.
    const calibration = datasetOf(new Uint8Array(192).fill(128));
    const [fixed, calibrated] = [
      await exportOnnx(model, { precision: 'int8' }),
      await exportOnnx(model, { precision: 'int8', calibration }),
    ];
    expect(calibrated).not.toEqual(fixed);
    expect(memory().numTensors).toBe(tensors);
  });

  test('a ReLU without a limit is refused with its layer, unless there is a calibration', async () => {
    const model = tinyNet({ relu: Number.POSITIVE_INFINITY });
    await expect(exportOnnx(model, { precision: 'int8' })).rejects.toThrow(/layer 'conv1', which .*calibration/);
    const { error } = await errorOf(model, { precision: 'int8', calibration: datasetOf(bytes) });
    expect(error).toBeLessThan(0.05);
  });

  test('pictures of another size calibrate as they would be classified', async () => {
    const calibration = datasetOf(
      Uint8Array.from({ length: 10 * 10 * 3 }, (_, i) => (7 * i) % 256),
      10,
    );
    expect((await errorOf(tinyNet(), { precision: 'int8', calibration })).error).toBeLessThan(0.05);
  });

  test('channels without weights keep their bias', async () => {
    const model = tinyNet();
    editWeights(model, 'conv_pw_1', (value, i) => (i % 12 < 4 ? 0 : value));
    expect((await errorOf(model, { precision: 'int8' })).error).toBeLessThan(0.03);
  });
});

test('int8 and float16 of dense layers behind a flattened feature map', async () => {
  const model = chain(
    [8, 8, 3],
    layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, activation: 'relu6' }),
    layers.conv2d({ filters: 6, kernelSize: 2, activation: 'relu6' }),
    layers.flatten(),
    layers.dense({ units: 9, activation: 'relu6' }),
    layers.dense({ units: 4 }),
  );
  randomizeWeights(model, createRandom(3));
  setModelMetadata(model, { inputRange: [-1, 1] });
  expect((await errorOf(model, { precision: 'int8' })).error).toBeLessThan(0.2);
  const { error, file, expected } = await errorOf(model, { precision: 'float16' });
  expect(error).toBeLessThan(0.01);
  keepForPython('float16, dense', { file, pictures: bytes, shape, expected, tolerance: 0.01 });
});
