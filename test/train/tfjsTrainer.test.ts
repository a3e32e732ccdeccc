import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/random';
import { createTfjsTrainer, type TfjsTrainerOptions } from '../../src/train/tfjsTrainer';
import { largestDifference, poison, pooledModel, tensors, tinyModel, weightsOf } from './models';
import { batchOf, range, step } from './trainers';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const SGD = { kind: 'sgd', weightDecay: 0 } as const;

const trainerOf = (model: tfl.LayersModel, changes: Partial<TfjsTrainerOptions> = {}) =>
  createTfjsTrainer(model, { optimizer: SGD, outputKind: 'probabilities', inputRange: [0, 1], ...changes });

/** 72 numbers to 3 classes, and nothing else. */
function linearModel(activation: 'softmax' | 'linear', kernelRegularizer?: ReturnType<typeof tfl.regularizers.l2>) {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 4 });
  return tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [6, 6, 2] }),
      tfl.layers.dense({ units: 3, activation, kernelInitializer, kernelRegularizer }),
    ],
  });
}

/** A net without batch norm, whose batches can be cut in two. */
function convolutionalModel() {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 5 });
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3, activation: 'relu', kernelInitializer }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }),
    ],
  });
}

const SEED = 7;
const random = createRandom(SEED);
const targetKinds: Record<string, Float32Array> = {
  'one-hot': Float32Array.from({ length: 12 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0)),
  soft: Float32Array.from({ length: 12 }, (_, i) => [0.7, 0.2, 0.1][(i + Math.floor(i / 3)) % 3]!),
  weighted: Float32Array.from({ length: 12 }, () => 3 * random.uniform()),
};
for (const [kind, targets] of Object.entries(targetKinds)) {
  for (const activation of ['softmax', 'linear'] as const) {
    test(`${kind} targets, ${activation}: loss, correct and a step of SGD are those of plain formulas (seed ${SEED})`, async () => {
      const model = linearModel(activation);
      const [kernel, bias] = weightsOf(model) as [number[], number[]];
      const batch = batchOf([0, 1, 2, 3], targets);
      const trainer = trainerOf(model, { outputKind: activation === 'softmax' ? 'probabilities' : 'logits' });

      let [loss, correct] = [0, 0];
      const [newKernel, newBias] = [kernel.slice(), bias.slice()];
      for (let i = 0; i < 4; i++) {
        const x = Array.from(batch.images.subarray(72 * i, 72 * (i + 1)), (byte) => byte / 255);
        const exps = bias.map((b, k) => Math.exp(b + x.reduce((sum, value, j) => sum + value * kernel[3 * j + k]!, 0)));
        const p = exps.map((e) => e / exps.reduce((a, b) => a + b));
        const t = targets.subarray(3 * i, 3 * i + 3);
        const total = t.reduce((a, b) => a + b);
        if (p.indexOf(Math.max(...p)) === batch.labels[i]) correct++;
        for (let k = 0; k < 3; k++) {
          loss -= (t[k]! * Math.log(p[k]!)) / 4;
          const gradient = (p[k]! * total - t[k]!) / 4;
          newBias[k]! -= 0.1 * gradient;
          x.forEach((value, j) => {
            newKernel[3 * j + k]! -= 0.1 * gradient * value;
          });
        }
      }

      const result = await trainer.step(batch, step());
      expect(result).toMatchObject({ correct, finite: true, learningRate: 0.1 });
      expect(result.loss).toBeCloseTo(loss, 5);
      expect(largestDifference(weightsOf(model), [newKernel, newBias])).toBeLessThan(1e-6);
      await trainer.dispose();
    });
  }
}

test('two halves that count 1/2 each make the update of the whole batch; until then the weights stay', async () => {
  const [whole, halves] = [convolutionalModel(), convolutionalModel()];
  const options = { optimizer: { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.1 } } as const;
  const [one, two] = [trainerOf(whole, options), trainerOf(halves, options)];
  for (const start of [0, 8]) {
    await one.step(batchOf(range(start, 8)), step());
    const before = weightsOf(halves);
    await two.step(batchOf(range(start, 4)), step({ share: 0.5, update: false }));
    expect(weightsOf(halves)).toEqual(before);
    await expect(two.readState()).rejects.toMatchObject({ code: 'invalid-argument' });
    await two.step(batchOf(range(start + 4, 4)), step({ share: 0.5 }));
    expect(weightsOf(halves)).not.toEqual(before);
  }
  expect(largestDifference(weightsOf(whole), weightsOf(halves))).toBeLessThan(1e-6);
  expect((await two.readState()).updates).toBe(2);
  await one.dispose();
  await two.dispose();
});

test('a layer that two nested models share is updated once a step', async () => {
  const first = linearModel('softmax');
  const second = tfl.sequential({ layers: first.layers });
  const input = tfl.input({ shape: [6, 6, 2] });
  const mean = tfl.layers.average().apply([first, second].map((model) => model.apply(input) as tfl.SymbolicTensor));
  const both = tfl.model({ inputs: input, outputs: mean as tfl.SymbolicTensor });
  const alone = linearModel('softmax');
  for (const model of [both, alone]) {
    const trainer = trainerOf(model);
    await trainer.step(batchOf(range(0, 4)), step());
    await trainer.dispose();
  }
  expect(largestDifference(weightsOf(first), weightsOf(alone))).toBeLessThan(1e-6);
});

test("regularizers' penalties are in the loss, and count once over the batches of an update", async () => {
  const make = () => linearModel('softmax', tfl.regularizers.l2({ l2: 0.5 }));
  const [plain, whole, halves] = [linearModel('softmax'), make(), make()];
  const [none, one, two] = [trainerOf(plain), trainerOf(whole), trainerOf(halves)];
  const penalty = 0.5 * weightsOf(plain)[0]!.reduce((sum, w) => sum + w * w, 0);
  const { loss } = await none.step(batchOf(range(0, 8)), step());
  expect((await one.step(batchOf(range(0, 8)), step())).loss).toBeCloseTo(loss + penalty, 5);
  await two.step(batchOf(range(0, 4)), step({ share: 0.5, update: false }));
  await two.step(batchOf(range(4, 4)), step({ share: 0.5 }));
  expect(largestDifference(weightsOf(whole), weightsOf(halves))).toBeLessThan(1e-6);
  for (const trainer of [none, one, two]) await trainer.dispose();
});

test('clipNorm scales all gradients together to this norm, and smaller ones not at all', async () => {
  const changes = async (clipNorm?: number) => {
    const model = tinyModel();
    const trainer = trainerOf(model, { clipNorm });
    await trainer.step(batchOf(range(0, 16)), step({ learningRate: 1 }));
    await trainer.dispose();
    // The moving averages, which no gradient moves, are the same every time.
    const trained = model.trainableWeights.map((weight) => [...weight.read().dataSync()]);
    return { trained: trained.flat(), all: weightsOf(model) };
  };
  const initial = tinyModel().trainableWeights.flatMap((weight) => [...weight.read().dataSync()]);
  const gradient = (await changes()).trained.map((value, i) => initial[i]! - value);
  const norm = Math.hypot(...gradient);
  expect((await changes(norm * 1.01)).all).toEqual((await changes()).all);
  const clipped = (await changes(norm / 4)).trained;
  clipped.forEach((value, i) => {
    expect(value).toBeCloseTo(initial[i]! - gradient[i]! / 4, 6);
  });
});

test('bytes are mapped by the range of their channel; numbers are taken as they are', async () => {
  const inputRange = [
    [-1, 3],
    [0, 0.5],
  ] as const;
  const bytes = batchOf(range(0, 6));
  const numbers = Float32Array.from(bytes.images, (byte, i) =>
    i % 2 === 0 ? -1 + (byte / 255) * 4 : (byte / 255) * 0.5,
  );
  const results = [];
  for (const images of [bytes.images, numbers]) {
    const model = tinyModel();
    const trainer = trainerOf(model, { inputRange });
    const { loss } = await trainer.step({ ...bytes, images }, step());
    results.push({ loss, outputs: await trainer.predict({ ...bytes, images }), weights: weightsOf(model) });
    await trainer.dispose();
  }
  expect(results[0]).toEqual(results[1]);
});

test('the dropout seed alone says what is dropped', async () => {
  const losses = [];
  for (const dropoutSeed of [0, 0, 1, 0xffff_ffff]) {
    const trainer = trainerOf(tinyModel({ dropout: 0.5 }));
    losses.push((await trainer.step(batchOf(range(0, 6)), step({ dropoutSeed }))).loss);
    await trainer.dispose();
  }
  expect(losses[0]).toBe(losses[1]);
  expect(new Set(losses).size).toBe(3);
});

test('a frozen batch norm keeps its values and normalises with them', async () => {
  const model = tinyModel();
  model.layers[1]!.trainable = false;
  const trainer = trainerOf(model, { average: true });
  const frozen = () => model.layers[1]!.getWeights().map((weight) => [...weight.dataSync()]);
  const before = frozen();
  const batch = batchOf(range(0, 12));
  const outputs = await trainer.predict(batch);
  const { loss } = await trainer.step(batch, step({ averageDecay: 0.9 }));
  const plain = batch.labels.reduce((sum, label, i) => sum - Math.log(outputs[3 * i + label]!) / 12, 0);
  expect(loss).toBeCloseTo(plain, 5);
  await trainer.updateModel('average');
  expect(frozen()).toEqual(before);
  await trainer.dispose();
});

test("a tfjs optimizer of the user's own: its own rate unless told, which it gets back; its state cannot be read", async () => {
  const optimizer = tf.train.momentum(0.05, 0.9, true);
  const settings = { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0 } as const;
  const [theirs, ours] = [tinyModel(), tinyModel()];
  const [adopted, own] = [trainerOf(theirs, { optimizer }), trainerOf(ours, { optimizer: settings })];
  for (const [asked, used] of [
    [undefined, 0.05],
    [0.2, 0.2],
    [undefined, 0.05],
  ] as const) {
    const result = await adopted.step(batchOf(range(0, 8)), step({ learningRate: asked }));
    expect(result.learningRate).toBe(used);
    await own.step(batchOf(range(0, 8)), step({ learningRate: used }));
  }
  expect(largestDifference(weightsOf(theirs), weightsOf(ours))).toBeLessThan(1e-6);
  const state = await own.readState();
  await expect(adopted.readState()).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(adopted.readState()).rejects.toThrow('Name the optimizer');
  await expect(adopted.writeState(state)).rejects.toMatchObject({ code: 'invalid-argument' });
  await adopted.step(batchOf(range(0, 8)), step({ learningRate: 0.3 }));
  await adopted.dispose();
  await own.dispose();
  expect(optimizer).toMatchObject({ learningRate: 0.05 });
  optimizer.dispose();
});

test.each(['adam', 'momentum'] as const)(
  '%s of tfjs that has trained other weights is refused in words',
  async (name) => {
    const optimizer = name === 'adam' ? tf.train.adam(0.01) : tf.train.momentum(0.01, 0.9);
    const first = trainerOf(tinyModel(), { optimizer });
    await first.step(batchOf(range(0, 8)), step({}));
    await first.dispose();
    const other = trainerOf(pooledModel(), { optimizer });
    const again = other.step(batchOf(range(0, 8)), step({}));
    await expect(again).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(again).rejects.toThrow(/an optimizer that is new.*Make one for each model/);
    await other.dispose();
    optimizer.dispose();
  },
);

const mistakes: Record<string, (model: tfl.LayersModel) => Parameters<ReturnType<typeof trainerOf>['step']>> = {
  'a layer that throws': (model) => {
    model.layers[4]!.call = () => {
      throw new Error('from the layer');
    };
    return [batchOf([0, 1]), step()];
  },
  'targets of the wrong length': () => [batchOf([0, 1], new Float32Array(5)), step()],
  'a label that is no class': () => [{ ...batchOf([0, 1]), labels: Int32Array.of(0, 3) }, step()],
  'pictures of the wrong length': () => [{ ...batchOf([0, 1]), images: new Uint8Array(71) }, step()],
  'no learning rate': () => [batchOf([0, 1]), step({ learningRate: undefined })],
  'broken weights': (model) => {
    poison(model);
    return [batchOf([0, 1]), step()];
  },
};
for (const [name, breakIt] of Object.entries(mistakes)) {
  test(`leaves no tensor after ${name}, while gradients wait`, async () => {
    const model = tinyModel({ dropout: 0.5 });
    const count = tensors();
    const trainer = trainerOf(model, { average: true, clipNorm: 1, optimizer: { ...SGD, weightDecay: 0.1 } });
    await trainer.step(batchOf([0, 1, 2]), step({ averageDecay: 0.5 }));
    await trainer.step(batchOf([0, 1, 2]), step({ update: false, share: 0.5 }));
    const outcome = trainer.step(...breakIt(model));
    if (name === 'broken weights') await expect(outcome).resolves.toMatchObject({ loss: Number.NaN, finite: false });
    else await expect(outcome).rejects.toThrow();
    await trainer.dispose();
    expect(tensors()).toBe(count);
  });
}
