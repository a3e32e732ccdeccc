import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  getModelMetadata,
  mobilenetV1,
  recipes,
  syntheticCifar10,
  type TrainClassifierOptions,
  type TrainingBatch,
  type TrainingEpoch,
  toTfDataset,
  trainClassifier,
} from '../../src/index';
import { largestDifference, poison, tensors, tinyDataset, tinyModel, weightsOf } from './models';

const train = tinyDataset(50);
const validation = tinyDataset(21, 2);

beforeEach(async () => {
  await tf.setBackend('cpu');
});

describe('what it resolves to and calls', () => {
  test('one record an epoch, with fractions, speed and the learning rate', async () => {
    const model = tinyModel();
    const epochs: TrainingEpoch[] = [];
    const result = await trainClassifier(model, train, {
      epochs: 3,
      batchSize: 16,
      validation,
      seed: 5,
      onEpoch: async (epoch) => void epochs.push(await Promise.resolve(epoch)),
    });
    expect(epochs).toEqual(result.history);
    expect(result).toMatchObject({ steps: 12, seed: 5, backend: 'cpu' });
    result.history.forEach((record, i) => {
      expect(record).toMatchObject({ epoch: i + 1, learningRate: 0.001 });
      for (const key of ['accuracy', 'valAccuracy'] as const) {
        expect(record[key]).toBeGreaterThanOrEqual(0);
        expect(record[key]).toBeLessThanOrEqual(1);
      }
      for (const key of ['loss', 'valLoss', 'imagesPerSecond', 'seconds'] as const)
        expect(record[key]).toBeGreaterThan(0);
      expect(record.imagesPerSecond * record.seconds).toBeCloseTo(50, 6);
    });
  });

  test('without a validation set its figures are undefined', async () => {
    const { history } = await trainClassifier(tinyModel(), train);
    expect(history).toHaveLength(1);
    expect(history[0]).toMatchObject({ valLoss: undefined, valAccuracy: undefined });
  });

  test('onBatch tells step, progress and time left, and is awaited', async () => {
    const seen: TrainingBatch[] = [];
    let running = 0;
    await trainClassifier(tinyModel(), train, {
      epochs: 2,
      batchSize: 20,
      onBatch: async (batch) => {
        expect(++running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 2));
        seen.push(batch);
        running--;
      },
    });
    expect(seen.map(({ epoch, batch, step }) => [epoch, batch, step])).toEqual([
      [1, 1, 1],
      [1, 2, 2],
      [1, 3, 3],
      [2, 1, 4],
      [2, 2, 5],
      [2, 3, 6],
    ]);
    expect(seen.map(({ progress }) => progress)).toEqual([1, 2, 3, 4, 5, 6].map((step) => step / 6));
    expect(seen.at(-1)).toMatchObject({ batches: 3, secondsLeft: 0 });
  });

  test('a learning rate that is a function is asked before each step', async () => {
    const positions: object[] = [];
    const { history } = await trainClassifier(tinyModel(), train, {
      epochs: 2,
      batchSize: 25,
      learningRate: (position) => {
        positions.push(position);
        return 0.1 * (1 - position.progress);
      },
    });
    expect(positions).toEqual([
      { step: 0, epoch: 1, progress: 0 },
      { step: 1, epoch: 1, progress: 0.25 },
      { step: 2, epoch: 2, progress: 0.5 },
      { step: 3, epoch: 2, progress: 0.75 },
    ]);
    expect(history.map(({ learningRate }) => learningRate)).toEqual([0.1 * 0.75, 0.1 * 0.25]);
  });

  test('maxMinutes ends the epoch early, and what was done counts', async () => {
    const { history, steps, seconds } = await trainClassifier(tinyModel(), train, { maxMinutes: 1e-6, batchSize: 1 });
    expect(history).toHaveLength(1);
    expect(steps).toBe(1);
    expect(seconds).toBeGreaterThan(0);
    const both = await trainClassifier(tinyModel(), train, { maxMinutes: 10, epochs: 2 });
    expect(both.history).toHaveLength(2);
  });

  test('input range, class names and shape go into the metadata, and the range is the next default', async () => {
    const model = tinyModel();
    model.setUserDefinedMetadata({ mine: 1 });
    await trainClassifier(model, train, { inputRange: [-1, 1] });
    expect(getModelMetadata(model)).toEqual({
      mine: 1,
      inputRange: [-1, 1],
      inputShape: [6, 6, 2],
      classNames: ['left', 'right', 'top'],
    });
    await trainClassifier(model, train);
    expect(getModelMetadata(model).inputRange).toEqual([-1, 1]);
  });
});

describe('right', () => {
  const optimizers = { sgd: () => tf.train.sgd(0.01), adam: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7) };
  for (const [name, create] of Object.entries(optimizers)) {
    test(`${name}: losses and weights agree with model.fit within 1e-5 over three epochs`, async () => {
      const [ours, theirs] = [tinyModel(), tinyModel()];
      const { history } = await trainClassifier(ours, train, {
        epochs: 3,
        batchSize: 16,
        shuffle: false,
        optimizer: name as 'sgd' | 'adam',
        validation,
      });
      theirs.compile({ optimizer: create(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
      const fitted = await theirs.fitDataset(toTfDataset(train, { batchSize: 16 }) as never, {
        epochs: 3,
        verbose: 0,
        validationData: toTfDataset(validation, { batchSize: 16 }) as never,
      });
      history.forEach(({ loss, accuracy, valLoss, valAccuracy }, i) => {
        const expected = ['loss', 'acc', 'val_loss', 'val_acc'].map((key) => Number(fitted.history[key]![i]));
        [loss, accuracy, valLoss!, valAccuracy!].forEach((value, j) => {
          expect(Math.abs(value - expected[j]!)).toBeLessThan(1e-5);
        });
      });
      expect(largestDifference(weightsOf(ours), weightsOf(theirs))).toBeLessThan(1e-5);
    });
  }

  test('logits train as probabilities do: losses and weights within 1e-5', async () => {
    const [probabilities, logits] = [tinyModel(), tinyModel({ activation: 'linear' })];
    const options: TrainClassifierOptions = { epochs: 2, shuffle: false, batchSize: 16, validation };
    const a = await trainClassifier(probabilities, train, options);
    const b = await trainClassifier(logits, train, options);
    expect(Math.abs(a.history[1]!.loss - b.history[1]!.loss)).toBeLessThan(1e-5);
    expect(Math.abs(a.history[1]!.valLoss! - b.history[1]!.valLoss!)).toBeLessThan(1e-5);
    expect(largestDifference(weightsOf(probabilities), weightsOf(logits))).toBeLessThan(1e-5);
  });

  /** Losses and weights of a training on one backend. */
  async function trainOn(backend: string, model: () => tfl.LayersModel, options: TrainClassifierOptions, set = train) {
    await tf.setBackend(backend);
    const made = model();
    const losses: number[] = [];
    await trainClassifier(made, set, { shuffle: false, onBatch: ({ loss }) => void losses.push(loss), ...options });
    return { losses, weights: weightsOf(made) };
  }

  test('wasm and cpu agree on losses and weights within 1e-5 over twelve steps', async () => {
    const options = { epochs: 3, batchSize: 16 };
    const [cpu, wasm] = [await trainOn('cpu', tinyModel, options), await trainOn('wasm', tinyModel, options)];
    expect(cpu.losses).toHaveLength(12);
    expect(largestDifference([cpu.losses], [wasm.losses])).toBeLessThan(1e-5);
    expect(largestDifference(cpu.weights, wasm.weights)).toBeLessThan(1e-5);
  });

  test('wasm and cpu agree on the first loss of MobileNetV1 within 1e-5', async () => {
    // The first only: through 27 batch norms one flipped bit of a pixel already changes the gradients by some percent.
    const set = syntheticCifar10({ train: 12, test: 1, seed: 4 }).train;
    const model = () => mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, dropout: 0, seed: 7 });
    const [cpu, wasm] = [await trainOn('cpu', model, {}, set), await trainOn('wasm', model, {}, set)];
    expect(largestDifference([cpu.losses], [wasm.losses])).toBeLessThan(1e-5);
  });

  for (const optimizer of ['sgd', 'momentum', 'adam', 'rmsprop'] as const) {
    test(`${optimizer} lowers the loss`, async () => {
      const learningRate = optimizer === 'sgd' || optimizer === 'momentum' ? 0.05 : 0.01;
      const { history } = await trainClassifier(tinyModel(), train, {
        epochs: 8,
        batchSize: 10,
        optimizer,
        learningRate,
        seed: 1,
      });
      expect(history.at(-1)!.loss).toBeLessThan(0.7 * history[0]!.loss);
    });
  }

  test('learns the synthetic pictures on wasm: more than three times as good as chance from 600 of them', async () => {
    await tf.setBackend('wasm');
    const sets = syntheticCifar10({ train: 600, test: 200, seed: 1 });
    const model = tfl.sequential();
    model.add(
      tfl.layers.conv2d({
        inputShape: [32, 32, 3],
        filters: 16,
        kernelSize: 5,
        strides: 2,
        kernelInitializer: tfl.initializers.glorotUniform({ seed: 1 }),
      }),
    );
    model.add(tfl.layers.batchNormalization({ momentum: 0.8 }));
    model.add(tfl.layers.reLU());
    model.add(
      tfl.layers.separableConv2d({
        filters: 32,
        kernelSize: 3,
        strides: 2,
        depthwiseInitializer: tfl.initializers.glorotUniform({ seed: 2 }),
        pointwiseInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
      }),
    );
    model.add(tfl.layers.batchNormalization({ momentum: 0.8 }));
    model.add(tfl.layers.reLU());
    model.add(tfl.layers.globalAveragePooling2d({}));
    model.add(
      tfl.layers.dense({
        units: 10,
        activation: 'softmax',
        kernelInitializer: tfl.initializers.glorotUniform({ seed: 4 }),
      }),
    );
    const { history } = await trainClassifier(model, sets.train, {
      epochs: 12,
      batchSize: 32,
      learningRate: ({ progress }) => 0.02 * (1 - progress) + 1e-4,
      validation: sets.test,
      seed: 1,
    });
    expect(history.at(-1)!.valAccuracy).toBeGreaterThan(0.3);
    model.dispose();
  });

  test('the same seed gives the same bits, dropout and order included; another seed does not', async () => {
    const run = async (seed: number) => {
      const model = tinyModel({ dropout: 0.5 });
      await trainClassifier(model, train, { epochs: 2, batchSize: 16, seed });
      return weightsOf(model);
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test('dropout draws another mask at each step', async () => {
    const model = tinyModel({ dropout: 0.5 });
    const dropout = model.layers.find((layer) => layer.getClassName() === 'Dropout') as tfl.layers.Layer & {
      seed?: number;
    };
    const seeds = new Set<number | undefined>();
    await trainClassifier(model, train, { batchSize: 10, onBatch: () => void seeds.add(dropout.seed) });
    expect(seeds.size).toBe(5);
  });

  test("the tutorial's recipe is one call", async () => {
    const { history } = await trainClassifier(tinyModel(), train, { ...recipes.tutorial, validation });
    expect(history).toHaveLength(30);
    expect(history[29]!.learningRate).toBe(1e-5);
  });
});

describe('leaves everything as it was', () => {
  /** A compiled model with a frozen batch norm and dropout, and what must not change of it. */
  function watched() {
    const model = tinyModel({ dropout: 0.5, activation: 'linear' });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mse'] });
    model.layers[1]!.trainable = false;
    const dropout = model.layers[3] as tfl.layers.Layer & { seed?: number };
    const state = () => ({
      optimizer: model.optimizer,
      loss: model.loss,
      metrics: model.metrics,
      trainable: model.layers.map((layer) => layer.trainable),
      hasOwnCall: model.layers.map((layer) => Object.hasOwn(layer, 'call')),
      seed: dropout.seed,
    });
    return { model, state };
  }

  const endings: Record<string, (model: tfl.LayersModel) => TrainClassifierOptions> = {
    success: () => ({}),
    'a hook that throws': () => ({
      onBatch: () => {
        throw new Error('from the hook');
      },
    }),
    'an abort': () => ({ signal: AbortSignal.abort(new Error('stop')) }),
    divergence: (model) => ({ onBatch: () => poison(model) }),
  };
  for (const backend of ['cpu', 'wasm']) {
    for (const [name, options] of Object.entries(endings)) {
      test(`after ${name} on ${backend}: compile state, flags, layers, and the number of tensors`, async () => {
        await tf.setBackend(backend);
        const { model, state } = watched();
        const before = state();
        // The first training lets tfjs make what it keeps for good.
        await trainClassifier(tinyModel(), train);
        const count = tensors();
        const outcome = trainClassifier(model, train, { batchSize: 16, validation, ...options(model) });
        if (name === 'success') await outcome;
        else await expect(outcome).rejects.toThrow();
        expect(state()).toEqual(before);
        expect(tensors()).toBe(count);
      });
    }
  }

  test("an optimizer of the caller's own is neither disposed nor changed", async () => {
    const model = tinyModel();
    const optimizer = tf.train.momentum(0.05, 0.9);
    const { history } = await trainClassifier(model, train, { optimizer, epochs: 2 });
    expect(history[0]!.learningRate).toBe(0.05);
    await trainClassifier(model, train, { optimizer });
    optimizer.dispose();
  });

  test('an aborted training rejects with the reason, between two steps, and the model can go on', async () => {
    const model = tinyModel();
    const stop = new AbortController();
    const steps: number[] = [];
    const outcome = trainClassifier(model, train, {
      epochs: 5,
      batchSize: 10,
      signal: stop.signal,
      onBatch: ({ step }) => {
        steps.push(step);
        if (step === 7) stop.abort();
      },
    });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
    expect(steps.at(-1)).toBe(7);
    await trainClassifier(model, train);
  });

  test("saved models hold tfjs's own layer classes only", async () => {
    const { model } = watched();
    await trainClassifier(model, train);
    const copy = await tfl.models.modelFromJSON({ modelTopology: model.toJSON(null, false) as never });
    expect(copy.layers.map((layer) => layer.getClassName())).toEqual(model.layers.map((layer) => layer.getClassName()));
  });
});

describe('frozen batch norm', () => {
  const averages = (model: tfl.LayersModel) =>
    model.weights.filter(({ name }) => name.includes('moving_')).map((weight) => Array.from(weight.read().dataSync()));

  test('keeps its moving averages bit by bit, where plain model.fit lets them drift', async () => {
    const model = tinyModel();
    model.layers[1]!.trainable = false;
    const before = averages(model);
    await trainClassifier(model, train, { epochs: 2 });
    expect(averages(model)).toEqual(before);

    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await model.fitDataset(toTfDataset(train) as never, { epochs: 1, verbose: 0 });
    expect(averages(model)).not.toEqual(before);
  });

  test('normalises with the moving averages: the first loss is that of inference', async () => {
    const model = tinyModel();
    model.layers[1]!.trainable = false;
    const { history } = await trainClassifier(model, train, { batchSize: 50, learningRate: 0, validation: train });
    expect(history[0]!.loss).toBeCloseTo(history[0]!.valLoss!, 6);
  });

  test('inside a frozen nested model too, while the layers behind it learn', async () => {
    const backbone = tinyModel({ activation: 'linear' });
    const model = tfl.sequential({ layers: [backbone, tfl.layers.dense({ units: 3, activation: 'softmax' })] });
    backbone.trainable = false;
    const before = weightsOf(backbone);
    const head = model.layers[1]!.getWeights()[0]!.dataSync();
    await trainClassifier(model, train);
    expect(weightsOf(backbone)).toEqual(before);
    expect(model.layers[1]!.getWeights()[0]!.dataSync()).not.toEqual(head);
  });
});

describe('a loss that is not finite', () => {
  test('ends with an error that names epoch and step; the weights are those of the last finite loss', async () => {
    const model = tinyModel();
    const before: number[][][] = [];
    const outcome = trainClassifier(model, train, {
      epochs: 3,
      batchSize: 10,
      learningRate: ({ step }) => {
        before[step] = weightsOf(model);
        return 0.01;
      },
      onBatch: ({ step }) => {
        if (step === 7) poison(model);
      },
    });
    await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
    await expect(outcome).rejects.toThrow('a loss of NaN in epoch 2, step 8');
    // The loss of step 7, whose place in the list is 6, was the last finite one.
    expect(weightsOf(model)).toEqual(before[6]);
  });

  test('in the very first step leaves the moving averages alone', async () => {
    const model = tinyModel();
    poison(model);
    const before = weightsOf(model);
    await expect(trainClassifier(model, train)).rejects.toThrow('epoch 1, step 1');
    expect(weightsOf(model)).toEqual(before);
  });

  test('in the last step, where only a weight shows it', async () => {
    const model = tinyModel();
    const before = weightsOf(model);
    // The largest float times a gradient above 1 overflows.
    const outcome = trainClassifier(model, train, { batchSize: 50, optimizer: 'sgd', learningRate: 1e40 });
    await expect(outcome).rejects.toThrow(/a weight that is not finite in epoch 1/);
    expect(weightsOf(model)[0]).toEqual(before[0]);
  });
});

describe('bad input', () => {
  const refused: [name: string, options: object, message: RegExp][] = [
    ['epochs', { epochs: 0 }, /epochs to be an integer of at least 1, received 0/],
    ['no end', { epochs: Number.POSITIVE_INFINITY }, /epochs or maxMinutes to be finite/],
    ['minutes', { maxMinutes: -1 }, /maxMinutes to be above 0/],
    ['batch size', { batchSize: 1.5 }, /batchSize/],
    ['shuffle', { shuffle: -2 }, /shuffle/],
    ['seed', { seed: Number.NaN }, /seed/],
    ['input range', { inputRange: [1, 0] }, /inputRange/],
    ['optimizer', { optimizer: 'lion' }, /one of sgd, momentum, adam, rmsprop/],
    ['learning rate', { learningRate: -1 }, /learningRate/],
    ['validation', { validation: syntheticCifar10({ train: 1, test: 1 }).test }, /validation.*\[32,32,3\]/],
  ];
  for (const [name, options, message] of refused) {
    test(`${name} out of range`, async () => {
      const count = tensors();
      const model = tinyModel();
      const withModel = tensors();
      await expect(trainClassifier(model, train, options)).rejects.toThrow(message);
      expect(tensors()).toBe(withModel);
      model.dispose();
      expect(tensors()).toBe(count);
    });
  }

  test('a model for other pictures, for other classes, with a sigmoid, or with nothing to learn', async () => {
    const { train: cifar } = syntheticCifar10({ train: 10, test: 1 });
    await expect(trainClassifier(tinyModel(), cifar)).rejects.toThrow(/input is \[32,32,3\].*received \[6,6,2\]/);
    const four = { ...train, classNames: ['a', 'b', 'c', 'd'] };
    await expect(trainClassifier(tinyModel(), four)).rejects.toThrow(/classes: 4/);
    await expect(trainClassifier(tinyModel({ activation: 'sigmoid' }), train)).rejects.toThrow(/'sigmoid'/);
    const frozen = tinyModel();
    for (const layer of frozen.layers) layer.trainable = false;
    await expect(trainClassifier(frozen, train)).rejects.toThrow(/trainable weights/);
  });

  test('two trainings of one model at once are refused, of two models not', async () => {
    const [one, other] = [tinyModel(), tinyModel()];
    const first = trainClassifier(one, train, { epochs: 2 });
    await expect(trainClassifier(one, train)).rejects.toThrow(/no other call is training/);
    await trainClassifier(other, train);
    await first;
  });
});
