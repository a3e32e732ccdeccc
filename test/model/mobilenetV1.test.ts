import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {
  io,
  memory,
  moments,
  randomUniform,
  setBackend,
  softmax,
  sqrt,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel, models } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { paddingStyles } from '../../src/model/architecture';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';
import { getModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';

beforeAll(() => setBackend('cpu'));

const small: MobilenetV1Options = { classes: 10, inputShape: [32, 32, 3], alpha: 0.25 };

/** Builds, looks at the model, and lets its weights go. */
function withModel<T>(options: MobilenetV1Options, look: (model: LayersModel) => T): T {
  const model = mobilenetV1(options);
  try {
    return look(model);
  } finally {
    model.dispose();
  }
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

const weights = (model: LayersModel) =>
  new Map(model.weights.map((weight) => [weight.originalName, weight.read().dataSync()]));

function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}

describe('layers', () => {
  test('the head has the classic names', () => {
    const names = withModel(small, ({ layers }) => layers.slice(-6).map(({ name }) => name));
    expect(names).toEqual([
      ...['global_average_pooling2d_1', 'reshape_1', 'dropout', 'conv_preds', 'act_softmax', 'reshape_2'],
    ]);
  });

  test('softmax gives probabilities, linear the logits of the same network', () => {
    const image = randomUniform([2, 32, 32, 3], -1, 1, 'float32', 5);
    const predict = (classifierActivation: 'softmax' | 'linear') =>
      withModel({ ...small, seed: 2, classifierActivation }, (model) =>
        tidy(() => {
          const output = model.predict(image) as Tensor;
          return (classifierActivation === 'linear' ? softmax(output) : output).dataSync();
        }),
      );
    const probabilities = predict('softmax');
    expect(probabilities).toHaveLength(20);
    expect(sum(probabilities.slice(0, 10))).toBeCloseTo(1, 5);
    for (const [index, value] of predict('linear').entries()) expect(value).toBeCloseTo(probabilities[index]!, 6);
    image.dispose();
  });

  test('without the top: feature map, or pooled features', () => {
    const output = (pooling?: 'avg' | 'max') =>
      withModel({ ...small, inputShape: [64, 64, 3], includeTop: false, pooling }, ({ outputs }) => outputs[0]!.shape);
    expect(output()).toEqual([null, 2, 2, 256]);
    expect(output('avg')).toEqual([null, 256]);
    expect(output('max')).toEqual([null, 256]);
  });

  test('options reach the layers', () => {
    const options = { ...small, dropout: 0.1, batchNormMomentum: 0.9, batchNormEpsilon: 0.01, name: 'mine' };
    withModel(options, (model) => {
      expect(model.name).toBe('mine');
      expect(model.getLayer('dropout').getConfig()).toMatchObject({ rate: 0.1 });
      const norms = model.layers.filter((layer) => layer.getClassName() === 'BatchNormalization');
      expect(norms).toHaveLength(27);
      for (const norm of norms) expect(norm.getConfig()).toMatchObject({ momentum: 0.9, epsilon: 0.01 });
      expect(getModelMetadata(model)).toEqual({ inputShape: [32, 32, 3] });
    });
  });

  test("the name is Keras's", () => {
    expect(withModel({ alpha: 0.25 }, ({ name }) => name)).toBe('mobilenet_0.25_224');
    expect(withModel({ alpha: 0.25, inputShape: [64, 32, 3] }, ({ name }) => name)).toBe('mobilenet_0.25_64x32');
  });

  test('explicit undefined means the default', () => {
    const options = { ...small, dropout: undefined, padding: undefined, stemStride: undefined, name: undefined };
    expect(describeMobilenetV1(options).layers).toEqual(describeMobilenetV1(small).layers);
  });

  test('resolutionMultiplier rounds', () => {
    const size = (rho: number) => describeMobilenetV1({ resolutionMultiplier: rho }).layers[0]!.outputShape;
    expect(size(0.5)).toEqual([null, 112, 112, 3]);
    expect(size(0.714)).toEqual([null, 160, 160, 3]); // 159.94
  });

  test.each(paddingStyles)("runs with padding '%s'", (padding) => {
    const image = randomUniform([1, 33, 35, 3], -1, 1, 'float32', 3);
    withModel({ ...small, inputShape: [33, 35, 3], padding }, (model) => {
      const output = tidy(() => (model.predict(image) as Tensor).dataSync());
      expect(sum(output)).toBeCloseTo(1, 5);
    });
    image.dispose();
  });

  test('summary prints every layer and the totals', () => {
    const lines: string[] = [];
    withModel(small, (model) => {
      model.summary(undefined, undefined, (line) => lines.push(`${line}`));
      for (const { name } of model.layers) expect(lines.some((line) => line.startsWith(name))).toBe(true);
    });
    expect(lines).toContain('Total params: 221114');
    expect(lines).toContain('Trainable params: 215642');
  });

  test('two models in one process, and dispose leaves nothing behind', () => {
    const { numTensors } = memory();
    const first = mobilenetV1(small);
    const second = mobilenetV1(small);
    expect(second.layers.map(({ name }) => name)).toEqual(first.layers.map(({ name }) => name));
    first.dispose();
    second.dispose();
    expect(memory().numTensors).toBe(numTensors);
  });
});

describe('initial weights', () => {
  const seed = 20;
  const options = { ...small, alpha: 0.5, depthMultiplier: 2, seed };

  test(`every kernel is uniform in ±sqrt(6 / (fanIn + fanOut)), within 5 sigma of its moments (seed ${seed})`, () => {
    withModel(options, (model) => {
      const kernels = model.weights.filter(({ originalName }) => originalName.endsWith('kernel'));
      expect(kernels).toHaveLength(28);
      for (const kernel of kernels) {
        const [height, width, inputs, outputs] = kernel.shape as [number, number, number, number];
        const limit = Math.sqrt(6 / (height * width * (inputs + outputs)));
        // In units of the limit: mean 0 and variance 1/3, whose estimates vary by sqrt(1/3n) and sqrt(4/45n).
        const values = Array.from(kernel.read().dataSync(), (value) => value / limit);
        const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
        expect(values.every((value) => Math.abs(value) <= 1 + 1e-6)).toBe(true);
        expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / 3 / values.length));
        expect(Math.abs(moment(2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / values.length));
      }
    });
  });

  test('biases, betas and moving means are 0, gammas and moving variances 1', () => {
    withModel(options, (model) => {
      for (const [name, values] of weights(model)) {
        if (/bias|beta|moving_mean/.test(name)) expect(values.every((value) => value === 0)).toBe(true);
        if (/gamma|moving_variance/.test(name)) expect(values.every((value) => value === 1)).toBe(true);
      }
    });
  });

  test('the same seed gives the same bits on cpu and wasm, another seed gives others', async () => {
    const onCpu = withModel(options, weights);
    const other = withModel({ ...options, seed: seed + 1 }, weights);
    await setBackend('wasm');
    const onWasm = withModel(options, weights);
    await setBackend('cpu');
    expect([...onWasm.keys()]).toEqual([...onCpu.keys()]);
    for (const [name, values] of onCpu) {
      expect(sameBits(onWasm.get(name)!, values), name).toBe(true);
      if (name.endsWith('kernel')) expect(sameBits(other.get(name)!, values), name).toBe(false);
    }
  });

  test('no two layers of one shape start out equal', () => {
    const kernels = [...withModel(options, weights)].filter(([name]) => name.endsWith('kernel'));
    const firstValues = kernels.map(([, [value]]) => value);
    const lastValues = kernels.map(([, values]) => values.at(-1));
    expect(new Set(firstValues).size).toBe(kernels.length);
    expect(new Set(lastValues).size).toBe(kernels.length);
  });

  describe("depthwiseInitializer 'identity'", () => {
    const identity: MobilenetV1Options = { ...options, depthwiseInitializer: 'identity' };
    const depthwise = (model: LayersModel) =>
      model.weights.filter(({ originalName }) => originalName.endsWith('depthwise_kernel'));

    test(`is 1 in the centre plus N(0, 0.1) everywhere, within 5 sigma of its moments (seed ${seed})`, () => {
      withModel(identity, (model) => {
        expect(depthwise(model)).toHaveLength(13);
        for (const kernel of depthwise(model)) {
          const channels = kernel.shape[2]! * kernel.shape[3]!;
          const noise = Array.from(kernel.read().dataSync(), (value, i) => {
            const isCentre = Math.floor(i / channels) === 4;
            return (value - (isCentre ? 1 : 0)) / 0.1;
          });
          const moment = (values: number[], power: number) => sum(values.map((x) => x ** power)) / values.length;
          for (const values of [noise, noise.slice(4 * channels, 5 * channels)]) {
            expect(Math.abs(moment(values, 1))).toBeLessThan(5 * Math.sqrt(1 / values.length));
            expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
          }
        }
      });
    });

    test('changes nothing but depthwise kernels, which no two layers have alike', () => {
      const glorot = withModel(options, weights);
      const values = withModel(identity, weights);
      const changed = [...values].filter(([name, value]) => !sameBits(value, glorot.get(name)!)).map(([name]) => name);
      expect(changed).toEqual([...values.keys()].filter((name) => name.endsWith('depthwise_kernel')));
      const firstValues = changed.map((name) => values.get(name)![0]);
      expect(new Set(firstValues).size).toBe(13);
    });

    test('the same seed gives the same bits on cpu and wasm, another seed and none give others', async () => {
      const kernels = (model: LayersModel) => depthwise(model).map((kernel) => kernel.read().dataSync());
      const onCpu = withModel(identity, kernels);
      const others = [seed + 1, undefined].map((other) => withModel({ ...identity, seed: other }, kernels));
      await setBackend('wasm');
      const onWasm = withModel(identity, kernels);
      await setBackend('cpu');
      onCpu.forEach((values, i) => {
        expect(sameBits(onWasm[i]!, values)).toBe(true);
        for (const other of others) expect(sameBits(other[i]!, values)).toBe(false);
      });
    });

    test('signals pass through a fresh network: the last features vary a hundred times as much', () => {
      const pictures = randomUniform([4, 32, 32, 3], -1, 1, 'float32', seed);
      const spread = (depthwiseInitializer: 'glorotUniform' | 'identity') =>
        withModel({ ...small, includeTop: false, seed, depthwiseInitializer }, (model) =>
          tidy(() => sqrt(moments(model.predict(pictures) as Tensor).variance).dataSync()[0]!),
        );
      expect(spread('identity')).toBeGreaterThan(100 * spread('glorotUniform'));
      pictures.dispose();
    });
  });

  test('depthwiseBeta is the first beta after depthwise kernels, and changes nothing else', () => {
    const plain = withModel(options, weights);
    const shifted = withModel({ ...options, depthwiseBeta: 1.5 }, weights);
    const changed = [...shifted].filter(([name, values]) => !sameBits(values, plain.get(name)!));
    expect(changed.map(([name]) => name)).toEqual(Array.from({ length: 13 }, (_, i) => `conv_dw_${i + 1}_bn/beta`));
    for (const [, values] of changed) expect(new Set(values)).toEqual(new Set([1.5]));
  });

  test('without a seed they differ from build to build; seed 0 is a seed', () => {
    const stem = (value?: number) => withModel({ ...small, seed: value }, weights).get('conv1/kernel');
    expect(stem()).not.toEqual(stem());
    expect(stem(0)).toEqual(stem(0));
  });
});

describe('serialisation', () => {
  test("a saved model is read by tfjs's own loader and predicts the same bits", async () => {
    const image = randomUniform([1, 33, 33, 3], -1, 1, 'float32', 4);
    for (const padding of paddingStyles) {
      const model = mobilenetV1({
        ...small,
        inputShape: [33, 33, 3],
        padding,
        depthwiseInitializer: 'identity',
        depthwiseBeta: 1,
      });
      let saved: io.ModelArtifacts | undefined;
      await model.save(
        io.withSaveHandler(async (artifacts) => {
          saved = artifacts;
          return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
        }),
      );
      const loaded = await loadLayersModel(io.fromMemory(saved!));
      const outputs = [model, loaded].map((net) => tidy(() => (net.predict(image) as Tensor).dataSync()));
      expect(outputs[1]).toEqual(outputs[0]);
      expect(getModelMetadata(loaded)).toEqual({ inputShape: [33, 33, 3] });
      model.dispose();
      loaded.dispose();
    }
    image.dispose();
  });

  test('the configuration goes to JSON and back', async () => {
    const options = { ...small, padding: 'torch', depthMultiplier: 2, seed: 1 } as const;
    const model = mobilenetV1(options);
    const json = model.toJSON(undefined, false) as unknown as Record<string, never>;
    const copy = await models.modelFromJSON(json as never);
    expect(copy.toJSON(undefined, false)).toEqual(json);
    // The seeds travel along, so that even the fresh weights are the same.
    const copied = weights(copy);
    for (const [name, values] of weights(model)) expect(sameBits(copied.get(name)!, values), name).toBe(true);
    model.dispose();
    copy.dispose();
  });
});

describe('bad options are named', () => {
  test.each<[MobilenetV1Options, string]>([
    [{ alpha: 0 }, 'alpha to be a number above 0, received 0'],
    [{ alpha: Number.NaN }, 'alpha to be a number above 0, received NaN'],
    [{ alpha: 0.03 }, 'Take an alpha of at least 1/32'],
    [{ classes: 0 }, 'classes to be an integer of at least 1'],
    [{ classes: 2.5, includeTop: false }, 'classes to be an integer of at least 1'],
    [{ depthMultiplier: 0.5 }, 'depthMultiplier to be an integer of at least 1'],
    [{ depthwiseBeta: Number.NaN }, 'depthwiseBeta to be a finite number'],
    [{ depthwiseInitializer: 'zeros' as never }, "depthwiseInitializer to be 'glorotUniform', 'identity'"],
    [{ resolutionMultiplier: 0 }, 'resolutionMultiplier to be a number above 0'],
    [{ resolutionMultiplier: 0.001 }, "a height and width of at least 1 (padding 'same', after resolutionMultiplier)"],
    [{ dropout: 1 }, 'dropout to be at least 0 and below 1'],
    [{ stemStride: 0 }, 'stemStride to be an integer of at least 1'],
    [{ inputShape: [224, 224] as never }, 'inputShape to be [height, width, channels]'],
    [{ inputShape: [0, 224, 3] }, 'inputShape to be [height, width, channels]'],
    [{ inputShape: [224, 224, 1.5] }, 'inputShape to be [height, width, channels]'],
    [{ inputShape: [30, 64, 3], padding: 'keras' }, 'a height and width of at least 31'],
    [{ includeTop: 1 as never }, 'includeTop to be true or false'],
    [{ pooling: 'avg' }, 'pooling only together with includeTop: false'],
    [{ pooling: 'sum' as never, includeTop: false }, "pooling to be 'avg', 'max', left out"],
    [{ classifierActivation: 'relu' as never }, "classifierActivation to be 'softmax', 'linear'"],
    [{ padding: 'valid' as never }, "padding to be 'same', 'keras', 'torch'"],
    [{ batchNormMomentum: -0.1 }, 'batchNormMomentum to be at least 0 and below 1'],
    [{ batchNormEpsilon: Number.POSITIVE_INFINITY }, 'batchNormEpsilon to be a number above 0'],
    [{ seed: -1 }, 'seed to be an integer of at least 0'],
    [{ name: '' }, 'name to be a string that is not empty'],
  ])('%o', (options, expected) => {
    for (const [where, make] of Object.entries({ mobilenetV1, describeMobilenetV1 })) {
      const { numTensors } = memory();
      expect(() => make(options)).toThrow(MobilenetError);
      expect(() => make(options)).toThrow(`${where}: expected `);
      expect(() => make(options)).toThrow(expected);
      expect(memory().numTensors).toBe(numTensors);
    }
  });

  test('the smallest picture that the message names is enough', () => {
    const shape = withModel(
      { ...small, inputShape: [31, 31, 3], padding: 'keras' },
      ({ outputs }) => outputs[0]!.shape,
    );
    expect(shape).toEqual([null, 10]);
  });
});
