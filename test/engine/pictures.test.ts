import '@tensorflow/tfjs-backend-cpu';
import { setBackend, type Tensor, tensor4d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EngineState } from '../../src/engine/engineState';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import type { EngineBatch, TrainingEngineOptions } from '../../src/engine/trainingEngine';
import { readStages } from '../../src/graph/readStages';
import type { StageGraph } from '../../src/graph/stage';
import { channelRange, type InputRange } from '../../src/inputRange';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { chainCases, graphOf, randomBatch, randomizeWeights, relativeL2, weightsOf } from './models';
import { lossAndGradients } from './reference';
import { softTargets } from './referenceLoss';
import { tfjsStep } from './tfjsStep';

// Pictures of other sizes, other ranges, and as floats.

const SEED = 8;
const BATCH = 3;
const optimizer: OptimizerSettings = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1 };
const settings = { learningRate: 0.001, dropoutSeed: 5 };

beforeAll(() => setBackend('cpu'));

/** One net, built for pictures of `size`; the weights are the same for every size. */
function build(size: number, more: MobilenetV1Options = {}) {
  const options = { classes: 5, alpha: 0.25, batchNormEpsilon: 0.1, dropout: 0 };
  const model = mobilenetV1({ ...options, ...more, inputShape: [size, size, 3] });
  randomizeWeights(model, SEED);
  return { model, graph: graphOf(model) };
}

function batchOf(model: LayersModel, seed: number) {
  const { bytes, images } = randomBatch(model, BATCH, seed);
  const batch: EngineBatch = { ...bytes, targets: softTargets(bytes.labels, bytes.classes, 0.1) };
  return { batch, images };
}

/** Comparing arrays value by value would take seconds. */
function bitsOf({ weights, slots }: EngineState): Buffer {
  const arrays = [weights, ...Object.values(slots)].flat().flatMap((values) => values ?? []);
  return Buffer.concat(arrays.map(({ buffer }) => new Uint8Array(buffer)));
}

/** The model's stages for pictures of each of these sizes. */
function readSizes(model: LayersModel, sizes: number[]): StageGraph[] {
  return sizes.map((size) => {
    const read = readStages(model, { size: { height: size, width: size } });
    if ('unsupported' in read) throw new Error(read.unsupported.reason);
    return read.graph;
  });
}

const full = 32;

describe.each(flavours)('%s', (_, bytes) => {
  const create = (model: LayersModel, sizes: number[], options: Partial<TrainingEngineOptions> = {}) =>
    createInlineEngine(bytes, {
      graph: graphOf(model),
      otherSizes: readSizes(model, sizes),
      weights: weightsOf(model),
      batchSize: BATCH,
      optimizer,
      inputRange: [-1, 1],
      ...options,
    });
  const start = (sizes: number[] = [], options?: Partial<TrainingEngineOptions>) =>
    create(build(full).model, sizes, options);

  test.each([full, 24, 16, 40])(
    `with pictures of %i of ${full} pixels the net is the model that is built so (seed ${SEED})`,
    (size) => {
      const { model, graph } = build(size);
      const { batch, images } = batchOf(model, SEED);
      const engine = start([24, 16, 40]);
      const outputs = model.predict(tensor4d(images, [BATCH, size, size, 3])) as Tensor;
      expect(relativeL2(engine.predict(batch), outputs.dataSync())).toBeLessThan(1e-5);

      const expected = lossAndGradients(graph, weightsOf(model), {
        images,
        labels: batch.labels,
        targets: batch.targets,
      });
      const outcome = engine.step(batch, settings);
      expect(outcome.correct).toBe(expected.correct);
      expect(Math.abs(outcome.loss - expected.loss)).toBeLessThan(1e-5);
      const gradients = engine.gradients();
      for (const [index, truth] of expected.gradients) {
        expect(relativeL2(gradients[index]!, truth), graph.weights[index]!.name).toBeLessThan(1e-3);
      }
    },
  );

  test(`padding 'keras' at 24 of ${full} pixels: outputs within 1e-5, gradients within 1e-3 of tfjs's (seed ${SEED})`, async () => {
    const keras = { padding: 'keras', stemStride: 1 } as const;
    const [own, built] = [build(full, keras), build(24, keras)];
    const { batch, images } = batchOf(built.model, SEED);
    const engine = create(own.model, [24]);
    const outputs = own.model.apply(tensor4d(images, [BATCH, 24, 24, 3])) as Tensor;
    expect(relativeL2(engine.predict(batch), outputs.dataSync())).toBeLessThan(1e-5);

    const { labels, targets } = batch;
    const sgd = { kind: 'sgd', learningRate: 0 } as const;
    const expected = await tfjsStep(built.model, { images, labels, targets }, { optimizer: sgd });
    const outcome = engine.step(batch, settings);
    expect(outcome.correct).toBe(expected.correct);
    expect(Math.abs(outcome.loss - expected.loss)).toBeLessThan(1e-5);
    const gradients = engine.gradients();
    expect(expected.gradients.size).toBeGreaterThan(80);
    for (const [index, truth] of expected.gradients) {
      expect(relativeL2(gradients[index]!, truth), built.graph.weights[index]!.name).toBeLessThan(1e-3);
    }
  });

  test('sizes share weights, states and memory, and leave nothing of theirs to each other', () => {
    const engine = start([24, 16]);
    expect(engine.memoryBytes).toBeLessThan(1.01 * start().memoryBytes);
    for (const [step, size] of [32, 16, 24, 16, 32].entries()) {
      const { model } = build(size);
      const alone = create(model, []);
      alone.writeState(engine.readState());
      const { batch } = batchOf(model, step);
      const outcomes = [engine, alone].map((one) => one.step(batch, settings));
      expect(outcomes[0], `step ${step}`).toEqual(outcomes[1]);
      expect(bitsOf(engine.readState()).equals(bitsOf(alone.readState())), `step ${step}`).toBe(true);
    }
  });

  test('each channel has its range, and what was mapped before is taken as it is', () => {
    const { model } = build(full);
    const { batch } = batchOf(model, SEED);
    const inputRange: InputRange = [
      [-2.1, 2.6],
      [0, 255],
      [-1, 1],
    ];
    const mapped = Float32Array.from(batch.images, (byte, i) => {
      const [low, high] = channelRange(inputRange, i % 3);
      return byte * ((high - low) / 255) + low;
    });
    const [ofBytes, ofFloats] = [start([], { inputRange }), start([24, 16], { inputRange: [0, 1] })];
    // Other numbers where the padding of the channels is.
    ofFloats.step(batchOf(build(24).model, 1).batch, { ...settings, learningRate: 0, update: false });
    ofFloats.writeState(ofBytes.readState());
    const floats = { ...batch, images: mapped };
    expect(ofFloats.predict(floats)).toEqual(ofBytes.predict(batch));
    expect(ofFloats.step(floats, settings)).toEqual(ofBytes.step(batch, settings));
  });

  test('features of many channels are a picture like any other', () => {
    const one = chainCases[3]!;
    const model = one.build();
    randomizeWeights(model, SEED);
    const { bytes: picture, images } = randomBatch(model, BATCH, SEED);
    const engine = create(model, []);
    const expected = (model.predict(tensor4d(images, [BATCH, 4, 4, 3])) as Tensor).dataSync();
    expect(relativeL2(engine.predict({ ...picture, images }), expected)).toBeLessThan(1e-5);
  });

  test.each<[string, Partial<EngineBatch>, string]>([
    ['another size', { height: 20, width: 20 }, '32 x 32 x 3 or 24 x 24 x 3 or 16 x 16 x 3, received 20 x 20 x 3'],
    ['other channels', { channels: 1 }, 'received 32 x 32 x 1'],
    [
      'too many values',
      { images: new Uint8Array(BATCH * 32 * 32 * 3 + 1) },
      `received ${BATCH * 32 * 32 * 3 + 1} values`,
    ],
    ['no pictures', { images: new Uint8Array(0), labels: new Int32Array(0) }, 'received 0 values of 0'],
  ])('a batch with %s is refused', (_name, change, message) => {
    const engine = start([24, 16]);
    const { batch } = batchOf(build(full).model, 1);
    expect(() => engine.step({ ...batch, ...change }, settings)).toThrow(message);
  });
});
