import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExportSafetensorsOptions, exportSafetensors } from '../../src/formats/exportSafetensors';
import { type LoadWeightsOptions, loadWeights } from '../../src/formats/loadWeights';
import { type Float32Values, readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import type { MobilenetV1Options } from '../../src/model/options';
import { expectFailure } from '../io/models';
import { golden, narrowNet, outputsOf, readBytes, readJson, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

const { logits } = readJson('timm/logits.json');
const SIZES = [32, 33, 37] as const;

describe.each([
  ['timm', { padding: 'torch', batchNormEpsilon: 1e-5 }],
  ['transformers', { padding: 'same', batchNormEpsilon: 1e-3 }],
] as const)('%s', (name, options) => {
  const path = golden(`timm/${name}.safetensors`);

  test.each(SIZES)('%i pixels: its logits, within a relative 1e-5', async (size) => {
    const model = narrowNet({ ...options, inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, path);
    expect([format, layers.length, skipped]).toEqual(['safetensors', 55, []]);
    expect(relativeError(outputsOf(model), logits[name][size])).toBeLessThan(1e-5);
  });

  test.each([1e-3, 1e-5, 0.1])('the same in a network of epsilon %f', async (batchNormEpsilon) => {
    const model = narrowNet({ ...options, batchNormEpsilon, inputShape: [37, 37, 3] });
    await loadWeights(model, path);
    expect(relativeError(outputsOf(model), logits[name][37])).toBeLessThan(1e-5);
  });
});

test("weights for PyTorch's padding are refused by another, with the way to build it", async () => {
  const model = narrowNet({ padding: 'same' });
  const load = (options: LoadWeightsOptions) => loadWeights(model, golden('timm/timm.safetensors'), options);
  await expectFailure(() => load({}), 'invalid-argument', "mobilenetV1({ padding: 'torch' })", 'ignorePadding: true');
  expect((await load({ ignorePadding: true })).layers).toHaveLength(55);
});

test("transformers' padding is TensorFlow's", async () => {
  const model = narrowNet({ padding: 'torch' });
  const load = () => loadWeights(model, golden('timm/transformers.safetensors'));
  await expectFailure(load, 'invalid-argument', "mobilenetV1({ padding: 'same' })");
});

test('half of the classes of ImageNet are not ImageNet, all of them are, and none too', async () => {
  const rangeOf = async (options: MobilenetV1Options) => {
    const model = narrowNet({ ...options, padding: 'torch', seed: 1 });
    const { tensors } = readSafetensors(await exportSafetensors(model), 'file');
    // Without what our own files say.
    const bytes = writeSafetensors(tensors as Map<string, Float32Values>);
    return (await loadWeights(model, bytes)).inputRange;
  };
  expect(await rangeOf({ classes: 500 })).toBeUndefined();
  expect(await rangeOf({ classes: 1000 })).toEqual([-1, 1]);
  expect(await rangeOf({ classes: 1001 })).toEqual([-1, 1]);
  expect(await rangeOf({ includeTop: false })).toEqual([-1, 1]);
});

describe("exported in timm's layout", () => {
  test("names and shapes are those of timm's own state_dict", async () => {
    const shapes = (bytes: Uint8Array<ArrayBuffer>) =>
      new Map([...readSafetensors(bytes, 'file').tensors].map(([name, { shape }]) => [name, shape]));
    const theirs = shapes(readBytes('timm/timm.safetensors'));
    for (const name of theirs.keys()) if (name.endsWith('num_batches_tracked')) theirs.delete(name);
    const ours = shapes(await exportSafetensors(narrowNet()));
    expect(new Map([...ours].sort())).toEqual(new Map([...theirs].sort()));
  });

  // Each of these lines was run with timm 1.0.31, and gave the logits of our model within a relative 1e-6.
  test.each<[MobilenetV1Options, ExportSafetensorsOptions, string | undefined]>([
    [{}, {}, "timm.create_model('mobilenetv1_100', num_classes=5, bn_eps=0.001, pad_type='same')"],
    [{ padding: 'keras' }, {}, "timm.create_model('mobilenetv1_100', num_classes=5, bn_eps=0.001, pad_type='same')"],
    [{ padding: 'torch' }, {}, "timm.create_model('mobilenetv1_100', num_classes=5, bn_eps=0.001)"],
    // All maps are odd, where both paddings are one.
    [{ inputShape: [33, 33, 3] }, { epsilon: 1e-5 }, "timm.create_model('mobilenetv1_100', num_classes=5)"],
    [
      { alpha: 1.25, batchNormEpsilon: 1e-5 },
      {},
      "timm.create_model('mobilenetv1_125', num_classes=5, pad_type='same')",
    ],
    [
      { alpha: 0.25, inputShape: [33, 33, 1] },
      {},
      "timm.models.efficientnet._gen_mobilenet_v1('mobilenetv1_100', 0.25, num_classes=5, in_chans=1, bn_eps=0.001)",
    ],
    [
      { alpha: 0.25, stemStride: 1 },
      {},
      "timm.models.efficientnet._gen_mobilenet_v1('mobilenetv1_100', 0.25, num_classes=5, bn_eps=0.001, pad_type='same'); " +
        'model.conv_stem.stride = (1, 1)',
    ],
    [
      { alpha: 0.25, includeTop: false, batchNormEpsilon: 1e-5 },
      {},
      "timm.models.efficientnet._gen_mobilenet_v1('mobilenetv1_100', 0.25, num_classes=0, pad_type='same')",
    ],
    // Widths that timm rounds to multiples of 8, several depthwise channels, a padding of Keras's on odd maps.
    [{ alpha: 0.125 }, {}, undefined],
    [{ alpha: 0.25, depthMultiplier: 2 }, {}, undefined],
    [{ alpha: 0.25, padding: 'keras', inputShape: [33, 33, 3] }, {}, undefined],
  ])('%o, %o: the call of timm in the metadata', async (options, settings, call) => {
    const model = narrowNet({ alpha: 1, ...options });
    const { metadata } = readSafetensors(await exportSafetensors(model, settings), 'file');
    expect(metadata.format).toBe('pt');
    expect(metadata.timm).toBe(call && `model = ${call}`);
    model.dispose();
  });
});

test('a dense layer behind a flattened map is no classifier of timm; the names of Keras have a place for it', async () => {
  const flat = () => {
    const base = narrowNet({ inputShape: [64, 64, 3], includeTop: false, seed: 1 });
    const x = layers.flatten().apply(base.outputs[0]!);
    return model({ inputs: base.inputs, outputs: layers.dense({ units: 3 }).apply(x) as SymbolicTensor });
  };
  const from = flat();
  await expect(exportSafetensors(from)).rejects.toThrow(/for the layout 'timm', received layer 'dense/);
  const to = flat();
  await loadWeights(to, await exportSafetensors(from, { layout: 'keras' }));
  expect(outputsOf(to)).toEqual(outputsOf(from));
});

test('the call of timm is left out where it would pool in another way', async () => {
  const timmOf = async (pooling: 'avg' | 'max') =>
    readSafetensors(await exportSafetensors(narrowNet({ alpha: 1, includeTop: false, pooling })), 'x').metadata.timm;
  expect(await timmOf('avg')).toContain('timm.create_model');
  expect(await timmOf('max')).toBeUndefined();
});
