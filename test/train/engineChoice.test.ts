import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chooseEngine } from '../../src/engine/engineChoice';
import { MobilenetError } from '../../src/errors';
import { configureEngine, type TrainClassifierOptions, trainClassifier } from '../../src/index';
import { pooledModel, tensors, tinyModel, train, validation, weightsOf } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => {
  configureEngine({});
  vi.restoreAllMocks();
});

/** A model whose two branches meet, which is no chain. */
function branching() {
  const input = tfl.input({ shape: [6, 6, 2] });
  const branch = () => tfl.layers.conv2d({ filters: 2, kernelSize: 1 }).apply(input) as tfl.SymbolicTensor;
  const sum = tfl.layers.add({ name: 'meeting' }).apply([branch(), branch()]) as tfl.SymbolicTensor;
  const output = tfl.layers.dense({ units: 3, activation: 'softmax' }).apply(tfl.layers.flatten().apply(sum));
  return tfl.model({ inputs: input, outputs: output as tfl.SymbolicTensor });
}

test.each(['cpu', 'wasm'])("'auto' takes the engine on %s and says so", async (backend) => {
  await tf.setBackend(backend);
  const result = await trainClassifier(tinyModel(), train, { threads: 2 });
  expect(result).toMatchObject({ engine: 'fused', threads: 2, fallbackReason: undefined, backend });
  expect(['simd', 'relaxed-simd']).toContain(result.module);
  expect(result.megabytes).toBeGreaterThan(0);
});

test("'tfjs' never takes it", async () => {
  const result = await trainClassifier(tinyModel(), train, { engine: 'tfjs' });
  expect(result).toMatchObject({ engine: 'tfjs', module: undefined, threads: 1, fallbackReason: undefined });
});

test("'auto' goes through tfjs where the model is no chain, names the layer, and warns once", async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const model = branching();
  const first = await trainClassifier(model, train);
  await trainClassifier(model, train);
  expect(first.engine).toBe('tfjs');
  expect(first.fallbackReason).toMatch(/layer '.*' \(.*\), which /);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]![0]).toContain(first.fallbackReason);
});

test("'fused' refuses such a model, and a tfjs optimizer, with a clear error", async () => {
  const refused: [tfl.LayersModel, TrainClassifierOptions, RegExp][] = [
    [branching(), {}, /received layer/],
    [tinyModel(), { optimizer: tf.train.sgd(0.1) }, /a tfjs optimizer/],
  ];
  for (const [model, options, message] of refused) {
    const count = tensors();
    const outcome = trainClassifier(model, train, { ...options, engine: 'fused' });
    await expect(outcome).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(outcome).rejects.toThrow(message);
    expect(tensors()).toBe(count);
  }
});

test('where no worker can start, auto goes through tfjs and fused says why', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  configureEngine({
    createWorker: () => {
      throw new Error('no workers here');
    },
  });
  const { engine, fallbackReason } = await trainClassifier(tinyModel(), train);
  expect(engine).toBe('tfjs');
  expect(fallbackReason).toContain('no workers here');
  expect(warn).toHaveBeenCalledTimes(1);
  const refused = trainClassifier(tinyModel(), train, { engine: 'fused' });
  await expect(refused).rejects.toMatchObject({ code: 'engine-failed' });
});

test("'auto' does not go through tfjs where memory is short, as that needs more", async () => {
  const short = new MobilenetError('out-of-memory', 'no room');
  const tfjs = vi.fn();
  const ways = { fused: () => Promise.reject(short), tfjs, warning: '' };
  await expect(chooseEngine('auto', ways)).rejects.toBe(short);
  expect(tfjs).not.toHaveBeenCalled();
});

test('the model has the weights after each epoch, before onEpoch is called', async () => {
  const model = tinyModel();
  const seen = [weightsOf(model)];
  await trainClassifier(model, train, { epochs: 2, engine: 'fused', onEpoch: () => void seen.push(weightsOf(model)) });
  expect(seen[1]).not.toEqual(seen[0]);
  expect(seen[2]).not.toEqual(seen[1]);
  expect(weightsOf(model)).toEqual(seen[2]);
});

test('an abort keeps what was learned so far', async () => {
  const model = tinyModel();
  const before = weightsOf(model);
  const stop = new AbortController();
  const outcome = trainClassifier(model, train, {
    engine: 'fused',
    batchSize: 10,
    epochs: 3,
    signal: stop.signal,
    onBatch: ({ step }) => void (step === 3 && stop.abort()),
  });
  await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
  expect(weightsOf(model)).not.toEqual(before);
});

test.each(['tfjs', 'fused'] as const)(
  '%s: adamw shrinks kernels, depthwise ones and all else only where they are named',
  async (engine) => {
    const run = async (weightDecay: number, weightDecayOn?: TrainClassifierOptions['weightDecayOn']) => {
      const model = pooledModel();
      await trainClassifier(model, train, {
        ...{ engine, optimizer: 'adamw', weightDecay, weightDecayOn, learningRate: 0.01, seed: 1, batchSize: 50 },
      });
      return model;
    };
    const without = await run(0);
    const shrunk = async (weightDecayOn?: TrainClassifierOptions['weightDecayOn']) => {
      const decayed = await run(0.5, weightDecayOn);
      const changed = without.weights.filter((weight, i) => {
        const values = decayed.weights[i]!.read().dataSync();
        return weight
          .read()
          .dataSync()
          .some((value, j) => value !== values[j]);
      });
      decayed.dispose();
      return changed.map(({ originalName }) => originalName.split('/').at(-1));
    };
    expect(await shrunk()).toEqual(['kernel', 'kernel', 'kernel']);
    expect(await shrunk(['depthwise'])).toEqual(['depthwise_kernel']);
    // Biases and betas begin at 0.
    expect(await shrunk(['bias', 'batchNorm'])).toEqual(['gamma', 'gamma', 'gamma']);
    without.dispose();
  },
);

test('label smoothing: both engines agree on losses within 1e-5', async () => {
  const lossesOf = async (engine: 'tfjs' | 'fused') => {
    const losses: number[] = [];
    const onBatch = ({ loss }: { loss: number }) => void losses.push(loss);
    const options = { engine, labelSmoothing: 0.1, batchSize: 16, epochs: 2, seed: 2, onBatch, validation } as const;
    await trainClassifier(tinyModel(), train, options);
    return losses;
  };
  const [tfjs, fused] = [await lossesOf('tfjs'), await lossesOf('fused')];
  expect(Math.max(...tfjs.map((loss, i) => Math.abs(loss - fused[i]!)))).toBeLessThan(1e-5);
});

test.each([{ weightDecay: -1 }, { labelSmoothing: 1 }, { engine: 'gpu' as never }, { threads: 0 }])(
  'options out of range are refused: %o',
  async (options) => {
    await expect(trainClassifier(tinyModel(), train, options)).rejects.toMatchObject({ code: 'invalid-argument' });
  },
);

test.each([
  ['a label that is no class', { labels: Int32Array.from([9]), images: new Uint8Array(72) }, /labels from 0 to 2/],
  ['too few bytes', { labels: Int32Array.from([1]), images: new Uint8Array(71) }, /expected 72 byte/],
] as const)("a dataset of one's own with %s is refused before it reaches the kernels", async (_, broken, message) => {
  const dataset = { ...train, size: 1, read: () => broken };
  await expect(trainClassifier(tinyModel(), dataset, { engine: 'fused' })).rejects.toThrow(message);
});

test('pictures that are views of a larger buffer train as their copies do', async () => {
  const weightsAfter = async (dataset: typeof train) => {
    const model = tinyModel();
    await trainClassifier(model, dataset, { engine: 'fused', batchSize: 50, shuffle: false, seed: 1 });
    return weightsOf(model);
  };
  const large = new Uint8Array(100 + train.images.length + 100);
  large.set(train.images, 100);
  const images = large.subarray(100, 100 + train.images.length);
  const views = { ...train, read: () => ({ images, labels: train.labels }) };
  expect(await weightsAfter(views)).toEqual(await weightsAfter(train));
});
