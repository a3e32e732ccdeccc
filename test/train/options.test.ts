import '@tensorflow/tfjs-backend-cpu';
import { setBackend, train as tfTrain } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { getModelMetadata, schedules, type TrainClassifierOptions, trainClassifier } from '../../src/index';
import { largestDifference, pooledModel, tensors, tinyModel, train, validation, weightsOf } from './models';

beforeEach(async () => {
  await setBackend('cpu');
});

/** Losses and weights of a short training in one engine. */
async function trainIn(
  engine: 'fused' | 'tfjs',
  options: TrainClassifierOptions,
  build: () => tf.LayersModel = tinyModel,
  dataset = train,
) {
  const model = build();
  const losses: number[] = [];
  const result = await trainClassifier(model, dataset, {
    epochs: 2,
    batchSize: 16,
    optimizer: 'momentum',
    seed: 11,
    threads: 2,
    onBatch: ({ loss }) => void losses.push(loss),
    ...options,
    engine,
  });
  const weights = weightsOf(model);
  model.dispose();
  return { losses, weights, result };
}

const weight = (i: number) => 0.5 + (i % 5) / 2;

/** Every option that changes what is learned; each alone, on 6 x 6 x 2 pictures of three classes. */
const options: Record<string, TrainClassifierOptions> = {
  'momentum as it is': {},
  'classical momentum': { optimizer: { name: 'sgd', momentum: 0.8, nesterov: false } },
  'Adam with other betas': { optimizer: { name: 'adam', beta1: 0.8, beta2: 0.99, epsilon: 1e-3 }, learningRate: 0.01 },
  AdamW: { optimizer: 'adamw', weightDecay: 0.1, learningRate: 0.01 },
  'RMSprop with momentum': { optimizer: { name: 'rmsprop', momentum: 0.5, epsilon: 1e-2 } },
  'RMSprop that forgets soon': { optimizer: { name: 'rmsprop', decay: 0.5, epsilon: 1e-2 } },
  'weight decay of SGD': { optimizer: 'sgd', weightDecay: 0.3 },
  'weight decay on all': { weightDecay: 0.3, weightDecayOn: ['kernel', 'depthwise', 'bias', 'batchNorm'] },
  'clipping by norm': { clipNorm: 0.1, learningRate: 0.1 },
  'gradient accumulation': { accumulateSteps: 3 },
  'moving average of weights': { emaDecay: 0.9, validation },
  'label smoothing': { labelSmoothing: 0.2 },
  'class weights': { classWeights: { left: 2, top: 0.25 } },
  'class weights in their order': { classWeights: [2, 1, 0.25] },
  'balanced classes': { classWeights: 'balanced' },
  'sample weights': { sampleWeights: Array.from({ length: train.size }, (_, i) => weight(i)) },
  mixup: { mixup: 0.4 },
  cutmix: { cutmix: 1 },
  'mixup or cutmix, smoothed': { mixup: 0.4, cutmix: 1, labelSmoothing: 0.1 },
  'crop and flip': { augment: { crop: { padding: 1 }, flip: 'random' } },
  'reflected crop, alternating flip': { augment: { crop: { padding: 2, fill: 'reflect' }, flip: 'alternating' } },
  cutout: { augment: { cutout: { size: 2 } } },
  brightness: { augment: { brightness: 0.3 } },
  contrast: { augment: { contrast: 0.3 } },
  rotation: { augment: { rotation: 20 } },
  'cutout, brightness, contrast, rotation': {
    augment: { cutout: { size: 2 }, brightness: 0.3, contrast: 0.3, rotation: 20 },
  },
  'ranges per channel': {
    inputRange: [
      [-1, 1],
      [-2, 3],
    ],
  },
  'a validation split': { validationSplit: 0.3, shuffle: 20 },
  'a schedule with warm-up': { learningRate: schedules.oneCycle({ rate: 0.05 }) },
  'a constant rate': { learningRate: schedules.constant({ rate: 0.02, warmup: 0.3 }) },
  stairs: { learningRate: schedules.step({ rate: 0.05, every: 0.25 }) },
  'rates by the piece': { learningRate: schedules.piecewise({ boundaries: [0.5], rates: [0.05, 0.001] }) },
  'half a cosine': { learningRate: schedules.cosine({ rate: 0.05, final: 0.01 }) },
  'a polynomial': { learningRate: schedules.polynomial({ rate: 0.05, power: 2 }) },
  'an exponential': { learningRate: schedules.exponential({ rate: 0.05, final: 0.005 }) },
  // No epoch is that much better than another.
  'a plateau': { learningRate: schedules.plateau({ rate: 0.05, patience: 1, minDelta: 10 }), epochs: 4 },
};

const trained = new Map<string, ReturnType<typeof trainIn>>();

/** Trained through tfjs with one of the options, once, as two tests look at it. */
function inTfjs(name: string): ReturnType<typeof trainIn> {
  const run = trained.get(name) ?? trainIn('tfjs', options[name]!);
  trained.set(name, run);
  return run;
}

describe('the engine and tfjs agree', () => {
  for (const [name, given] of Object.entries(options)) {
    test(`${name}: losses and weights within 2e-5 over two epochs`, async () => {
      const [ours, theirs] = [await trainIn('fused', given), await inTfjs(name)];
      expect(ours.result.engine).toBe('fused');
      expect(ours.losses.length).toBeGreaterThan(4);
      expect(largestDifference([ours.losses], [theirs.losses])).toBeLessThan(2e-5);
      expect(largestDifference(ours.weights, theirs.weights)).toBeLessThan(2e-5);
      const figures = ({ result }: typeof ours) => result.history.map(({ valLoss = 0, loss }) => [valLoss, loss]);
      expect(largestDifference(figures(ours), figures(theirs))).toBeLessThan(2e-5);
    });
  }

  test('an option changes what is learned', async () => {
    const [plain, ...changes] = Object.keys(options);
    const { weights } = await inTfjs(plain!);
    for (const name of changes) {
      const changed = await inTfjs(name);
      expect(largestDifference(weights, changed.weights), name).toBeGreaterThan(1e-4);
    }
  });

  test('changed saturation, of pictures in colour: losses and weights within 2e-5', async () => {
    const colours = inMemoryDataset({
      ...{ height: 6, width: 6, channels: 3, classNames: train.classNames, labels: train.labels },
      images: Uint8Array.from({ length: train.size * 108 }, (_, i) => (i * 89 + 37 * Math.floor(i / 108)) % 256),
    });
    const build = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
      const model = tf.sequential();
      model.add(tf.layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3, kernelInitializer }));
      model.add(tf.layers.flatten());
      model.add(tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }));
      return model;
    };
    const given = { augment: { saturation: 0.8 } };
    const [ours, theirs] = [
      await trainIn('fused', given, build, colours),
      await trainIn('tfjs', given, build, colours),
    ];
    const plain = await trainIn('fused', {}, build, colours);
    expect(largestDifference([ours.losses], [theirs.losses])).toBeLessThan(2e-5);
    expect(largestDifference(ours.weights, theirs.weights)).toBeLessThan(2e-5);
    expect(largestDifference(ours.weights, plain.weights)).toBeGreaterThan(1e-4);
  });

  test('weight decay on all, where there is a depthwise kernel: losses and weights within 2e-5', async () => {
    const given = options['weight decay on all']!;
    const [ours, theirs] = [await trainIn('fused', given, pooledModel), await trainIn('tfjs', given, pooledModel)];
    const usual = await trainIn('fused', { ...given, weightDecayOn: undefined }, pooledModel);
    expect(largestDifference([ours.losses], [theirs.losses])).toBeLessThan(2e-5);
    expect(largestDifference(ours.weights, theirs.weights)).toBeLessThan(2e-5);
    expect(largestDifference(ours.weights, usual.weights)).toBeGreaterThan(1e-4);
  });

  test('a model of open size trains at that of the pictures: losses and weights within 2e-5', async () => {
    const build = () => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
      const model = tf.sequential();
      model.add(tf.layers.conv2d({ inputShape: [null, null, 2], filters: 4, kernelSize: 3, kernelInitializer }));
      model.add(tf.layers.globalAveragePooling2d({}));
      model.add(tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }));
      return model;
    };
    const [ours, theirs] = [await trainIn('fused', {}, build), await trainIn('tfjs', {}, build)];
    expect(largestDifference([ours.losses], [theirs.losses])).toBeLessThan(2e-5);
    expect(largestDifference(ours.weights, theirs.weights)).toBeLessThan(2e-5);
  });

  test('the plateau falls after the second epoch and the third', async () => {
    for (const engine of ['fused', 'tfjs'] as const) {
      const { result } = await trainIn(engine, options['a plateau']!);
      const rates = result.history.map(({ learningRate }) => learningRate);
      expect(rates).toEqual([0.05, 0.05, 0.005, 0.0005].map((rate) => expect.closeTo(rate, 9)));
    }
  });

  // An odd size is where padding 'keras' is not that of 'same'.
  test.each([
    ['same', 4],
    ['same', 5],
    ['keras', 5],
    ['torch', 5],
  ] as const)(
    "smaller pictures first, padding '%s', size %i: losses and weights within 2e-5",
    async (padding, size) => {
      const given = { pictureScales: [{ until: 0.5, scale: size / 6 }] };
      const build = () => pooledModel(padding);
      const [ours, theirs] = [await trainIn('fused', given, build), await trainIn('tfjs', given, build)];
      const native = await trainIn('fused', {}, build);
      expect(largestDifference([ours.losses], [theirs.losses])).toBeLessThan(2e-5);
      expect(largestDifference(ours.weights, theirs.weights)).toBeLessThan(2e-5);
      expect(Math.abs(ours.losses[0]! - native.losses[0]!)).toBeGreaterThan(1e-3);
    },
  );

  test('the own size, and one that comes twice, need nothing of a model', async () => {
    const flattening = await trainIn('fused', { pictureScales: [{ until: 0.5, scale: 6 / 6 }] });
    const plain = await trainIn('fused', {});
    expect(flattening.losses).toEqual(plain.losses);
    expect(flattening.result.megabytes).toBe(plain.result.megabytes);

    const [once, twice] = [[0.5], [0.25, 0.5]].map((untils) => ({
      pictureScales: untils.map((until) => ({ until, scale: 4 / 6 })),
    }));
    const results = [await trainIn('fused', once!, pooledModel), await trainIn('fused', twice!, pooledModel)];
    expect(results[0]!.losses).toEqual(results[1]!.losses);
  });

  test('pictures smaller than a window are refused through tfjs, too, before its gradients fail', async () => {
    const outcome = trainIn('tfjs', { pictureScales: [{ until: 0.5, scale: 1 / 6 }] }, () => pooledModel('keras'));
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(/1 x 1 x 2 and .*would put out \[1,0,0,8\].*larger pictureScales/);
  });

  test('a model that cannot take pictures of a size is refused by the engine, with the layer that is in the way', async () => {
    const outcome = trainIn('fused', { pictureScales: [{ until: 0.5, scale: 4 / 6 }] });
    await expect(outcome).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(outcome).rejects.toThrow(
      /layer '\S+' \(Dense\), which has a kernel for 64 values, not for \[N,16\] .*, with pictures of 4 x 4\./,
    );
  });
});

describe('what options mean', () => {
  test('accumulated halves make the update of the whole batch, batch norm aside', async () => {
    const build = () => {
      const model = tinyModel();
      for (const layer of model.layers) if (layer.getClassName() === 'BatchNormalization') layer.trainable = false;
      return model;
    };
    const whole = await trainIn('fused', { shuffle: false, batchSize: 20, optimizer: 'sgd' }, build);
    const halves = await trainIn(
      'fused',
      { shuffle: false, batchSize: 10, accumulateSteps: 2, optimizer: 'sgd' },
      build,
    );
    expect(halves.losses).toHaveLength(2 * whole.losses.length - 2);
    expect(largestDifference(whole.weights, halves.weights)).toBeLessThan(1e-6);
  });

  for (const engine of ['fused', 'tfjs'] as const) {
    test(`${engine}: the model gets the averaged weights, which validation saw`, async () => {
      const [model, plain] = [tinyModel(), tinyModel()];
      const shared = { epochs: 3, batchSize: 16, seed: 1, optimizer: 'momentum', engine } as const;
      const { history } = await trainClassifier(model, train, { ...shared, emaDecay: 0.8, validation });
      await trainClassifier(plain, train, { ...shared, validation });
      expect(largestDifference(weightsOf(model), weightsOf(plain))).toBeGreaterThan(1e-4);
      const { evaluateClassifier } = await import('../../src/index');
      const { loss } = await evaluateClassifier(model, validation);
      expect(loss).toBeCloseTo(history.at(-1)!.valLoss!, 5);
      model.dispose();
      plain.dispose();
    });

    test(`${engine}: the average forgets the first weights soon: it keeps 1/10 at the first update, 2/11 at the second`, async () => {
      const trained = async (epochs: number, emaDecay?: number) => {
        const batches = { batchSize: 25, accumulateSteps: 2, shuffle: false };
        const { weights } = await trainIn(engine, { ...batches, epochs, emaDecay, optimizer: 'sgd' });
        return weights;
      };
      const first = tinyModel();
      const expected = weightsOf(first);
      for (const [updates, kept] of [1 / 10, 2 / 11].entries()) {
        const current = await trained(updates + 1);
        expected.forEach((values, i) => {
          values.forEach((value, j) => {
            values[j] = kept * value + (1 - kept) * current[i]![j]!;
          });
        });
        expect(largestDifference(await trained(updates + 1, 0.999), expected)).toBeLessThan(1e-5);
        expect(largestDifference(await trained(updates + 1, 0), current)).toBeLessThan(1e-6);
      }
      first.dispose();
    });

    test(`${engine}: early stopping ends it after the patience, and the best weights come back`, async () => {
      const model = tinyModel();
      const seen: number[][][] = [];
      const { history, stoppedEarly, bestEpoch } = await trainClassifier(model, train, {
        epochs: 50,
        batchSize: 16,
        seed: 1,
        engine,
        learningRate: ({ epoch }) => (epoch < 4 ? 0.01 : 0.3),
        optimizer: 'sgd',
        validation,
        earlyStopping: { patience: 2 },
        restoreBest: true,
        onEpoch: () => void seen.push(weightsOf(model)),
      });
      const losses = history.map(({ valLoss }) => valLoss!);
      expect(stoppedEarly).toBe(true);
      expect(losses.indexOf(Math.min(...losses))).toBe(bestEpoch - 1);
      expect(history).toHaveLength(bestEpoch + 2);
      expect(weightsOf(model)).toEqual(seen[bestEpoch - 1]);
      model.dispose();
    });

    test(`${engine}: without a validation set the loss decides, or the accuracy; less than minDelta is no gain`, async () => {
      const lengthWith = async (given: TrainClassifierOptions) => {
        const { result } = await trainIn(engine, {
          ...{ epochs: 6, optimizer: 'sgd', learningRate: 0.05, earlyStopping: { patience: 2 } },
          ...given,
        });
        expect(result.stoppedEarly).toBe(result.history.length < 6);
        return result.history.length;
      };
      expect(await lengthWith({})).toBe(6);
      expect(await lengthWith({ earlyStopping: { patience: 2, minDelta: 10 } })).toBe(3);
      // Whoever learns nothing, from the same batches, is right as often.
      expect(await lengthWith({ monitor: 'accuracy', learningRate: 0, shuffle: false })).toBe(3);
    });

    test(`${engine}: nothing is left behind, with everything switched on`, async () => {
      const model = tinyModel();
      const before = tensors();
      await trainClassifier(model, train, {
        epochs: 2,
        batchSize: 16,
        engine,
        optimizer: 'adamw',
        emaDecay: 0.9,
        clipNorm: 1,
        accumulateSteps: 2,
        mixup: 0.2,
        validationSplit: 0.2,
        restoreBest: true,
      });
      expect(tensors()).toBe(before);
      model.dispose();
    });
  }
});

describe('bad input', () => {
  const refused: [name: string, options: object, message: RegExp][] = [
    ['an unknown class', { classWeights: { right: 1, up: 2 } }, /classWeights of the classes left, right, top.*up/],
    ['too few class weights', { classWeights: [1, 2] }, /one weight for each of the 3 classes, received 2/],
    ['a negative weight', { sampleWeights: train.labels.map(() => -1) }, /sampleWeights\[0\].*at least 0/],
    ['both validations', { validation, validationSplit: 0.1 }, /validation or validationSplit, received both/],
    ['a monitor without validation', { monitor: 'valLoss' }, /loss or accuracy.*no validation/],
    [
      'a schedule that watches what is not measured',
      { learningRate: schedules.plateau({ rate: 0.1, monitor: 'valLoss' }) },
      /monitor of the learning rate.*no validation/,
    ],
    ['patience', { earlyStopping: { patience: 0 } }, /patience/],
    ['clip norm', { clipNorm: 0 }, /clipNorm to be a number above 0/],
    ['accumulation', { accumulateSteps: 0 }, /accumulateSteps/],
    ['average', { emaDecay: 1 }, /emaDecay to be in \[0, 1\)/],
    ['mixup', { mixup: -1 }, /mixup/],
    ['a role', { weightDecayOn: ['gamma'] }, /weightDecayOn to list kernel, depthwise, bias, batchNorm/],
    [
      'sizes that fall',
      {
        pictureScales: [
          { until: 0.5, scale: 4 / 6 },
          { until: 0.4, scale: 5 / 6 },
        ],
      },
      /rising/,
    ],
    ['a size above the pictures', { pictureScales: [{ until: 0.5, scale: 8 / 6 }] }, /in \(0, 1\], received 1.33/],
    ['ranges of other channels', { inputRange: [[0, 1]] }, /each of 2 channels/],
    ['a tfjs optimizer in a checkpoint', { optimizer: tfTrain.sgd(1), checkpoint: { dir: 'x' } }, /Name one/],
    ['a report without a folder', { reportDir: '' }, /reportDir to be a folder/],
    ['its weight decay', { optimizer: tfTrain.sgd(1), weightDecay: 1 }, /tfjs optimizer/],
    ['a rate in a string', { learningRate: '0.01' }, /learningRate to be a number of at least 0, received '0.01'/],
    ['a weight in a string', { sampleWeights: Array.from(train.labels, String) }, /at least 0, received '\d'/],
    ['no sample weights', { sampleWeights: null }, /one weight for each of the 50 pictures/],
    ['class weights in a map', { classWeights: new Map([['left', 2]]) }, /'balanced', a list or an object by class/],
    ['one class weight', { classWeights: 5 }, /'balanced', a list or an object by class name, received 5/],
    ['a typing mistake', { classWeights: 'balance' }, /by class name, received 'balance'/],
    ['a control that is none', { control: {} }, /what createTrainingControl makes/],
    ['no split', { validationSplit: 0 }, /^trainClassifier: .*validationSplit to be in \(0, 1\).*Leave it out/],
    ['a resume from nowhere', { resume: '' }, /resume to be a folder, received ''/],
    ['momentum in a string', { optimizer: { name: 'sgd', momentum: '0.9' } }, /received '0\.9'/],
  ];
  for (const [name, given, message] of refused) {
    test(name, async () => {
      const model = tinyModel();
      await expect(trainClassifier(model, train, given)).rejects.toThrow(message);
      // Nothing was changed: neither it nor what it is told of pictures.
      expect(getModelMetadata(model)).toEqual({});
      model.dispose();
    });
  }

  test('class weights may be a typed array', async () => {
    const [list, typed] = [[2, 1, 0.25], Float32Array.of(2, 1, 0.25)];
    const runs = [
      await trainIn('fused', { classWeights: list }),
      await trainIn('fused', { classWeights: typed as never }),
    ];
    expect(runs[0]!.losses).toEqual(runs[1]!.losses);
  });
});
