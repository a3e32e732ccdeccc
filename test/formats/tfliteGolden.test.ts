import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { clampStep, relu6, sameActivation } from '../../src/formats/activation';
import { loadWeights } from '../../src/formats/loadWeights';
import type { FlatTable } from '../../src/formats/tflite/flatTable';
import { readChain } from '../../src/formats/tflite/readChain';
import { readTflite } from '../../src/formats/tflite/readTflite';
import { Activation, ConvField, DepthwiseField } from '../../src/formats/tflite/schema';
import { openTflite, type TfliteFile } from '../../src/formats/tflite/tfliteFile';
import { channelRange } from '../../src/inputRange';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { bytesOf } from '../golden/generator';

interface Summary {
  readonly norm: number;
  readonly samples: readonly number[];
}

interface GoldenCase {
  readonly size: number;
  readonly logits: readonly number[][];
  readonly weights: readonly { readonly kernel: Summary; readonly bias: Summary }[];
}

const folder = new URL('../golden/formats/tflite/', import.meta.url);
const golden: { alpha: number; classes: number; cases: Record<string, GoldenCase> } = JSON.parse(
  readFileSync(new URL('golden.json', folder), 'utf8'),
);

const fileOf = (name: string) => ({
  bytes: new Uint8Array(readFileSync(new URL(`${name}.tflite`, folder))),
  where: name,
});

/** Bytes `[4,H,W,3]`, as from_tflite.py has them: each picture half as bright as the one before it. */
function picturesOf(size: number): Uint8Array {
  const count = size * size * 3;
  return bytesOf(`tflite/${size}`, 4 * count).map((byte, i) => byte >> Math.floor(i / count));
}

/** As golden.py makes it. */
function summaryOf(values: Float32Array): Summary {
  const samples = [0, 1, 2, 3, 4].map((i) => values[Math.floor((i * (values.length - 1)) / 4)]!);
  return { norm: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)), samples };
}

function expectNear(actual: Summary, { norm, samples }: Summary): void {
  expect(Math.abs(actual.norm - norm)).toBeLessThanOrEqual(1e-6 * norm);
  actual.samples.forEach((value, i) => {
    expect(Math.abs(value - samples[i]!)).toBeLessThanOrEqual(1e-6 * Math.abs(samples[i]!));
  });
}

describe.each([
  // The bound of quantised files is how far their own rounding of activations is from exact ones.
  ['float32', { padding: 'keras', inputRange: undefined, bound: 1e-5 }],
  ['float16', { padding: 'same', inputRange: [-1, 0.99997], bound: 1e-5 }],
  ['dynamic', { padding: 'same', inputRange: undefined, bound: 0.02 }],
  ['int8', { padding: 'keras', inputRange: undefined, bound: 0.05 }],
  ['uint8', { padding: 'same', inputRange: [-1, 127 / 128], bound: 0.1 }],
] as const)('%s from TensorFlow', (name, { padding, inputRange, bound }) => {
  const { size, logits, weights } = golden.cases[name]!;
  const hasBackground = name === 'uint8';

  test("every kernel and bias is what Python's interpreter has, within 1e-6 of itself", async () => {
    const { layers } = await readTflite(fileOf(name));
    expect(layers).toHaveLength(28);
    layers.forEach((layer, i) => {
      if (layer.kind === 'batchNorm') throw new Error('a batch norm that is not folded');
      expectNear(summaryOf(layer.kernel.data), weights[i]!.kernel);
      expectNear(summaryOf(layer.bias!.data), weights[i]!.bias);
    });
  });

  test('kinds, shapes, padding and input range', async () => {
    const read = await readTflite(fileOf(name));
    expect(read).toMatchObject({ format: 'tflite', where: name, padding });
    expect(read.layers.slice(0, 3).map(({ kind }) => kind)).toEqual(['conv', 'depthwise', 'conv']);
    expect(read.layers.slice(0, 3).map((layer) => 'kernel' in layer && layer.kernel.shape)).toEqual([
      [3, 3, 3, 2],
      [3, 3, 2, 1],
      [1, 1, 2, 4],
    ]);
    if (!inputRange) expect(read.inputRange).toBeUndefined();
    else read.inputRange!.forEach((end, i) => void expect(end).toBeCloseTo(inputRange[i]!, 5));
  });

  test(`logits within ${bound} of those of the interpreter`, async () => {
    const { classes, alpha } = golden;
    const model = mobilenetV1({
      alpha,
      classes,
      inputShape: [size, size, 3],
      padding,
      classifierActivation: 'linear',
    });
    const { inputRange: range = [-1, 1] } = await loadWeights(model, fileOf(name).bytes, {
      head: hasBackground ? 'dropBackground' : 'load',
    });
    const [low, high] = channelRange(range, 0);
    const pixels = Float32Array.from(picturesOf(size), (byte) => low + (byte / 255) * (high - low));
    const actual = await (model.predict(tensor(pixels, [4, size, size, 3])) as Tensor).array();
    const differences = (actual as number[][]).flatMap((row, picture) => {
      const expected = logits[picture]!.slice(hasBackground ? 1 : 0);
      expect(row).toHaveLength(expected.length);
      return row.map((logit, c) => Math.abs(logit - expected[c]!));
    });
    expect(Math.max(...differences)).toBeLessThan(bound);
  });
});

describe.each(['int8', 'uint8'])('%s, where the converter names no activation', (name) => {
  /** Convolutions that end in NONE, whose levels are those of before. */
  const withoutNames = (file: TfliteFile): TfliteFile => {
    const unnamed = (options: FlatTable | undefined) =>
      options &&
      Object.assign(Object.create(options) as FlatTable, {
        int8: (field: number) => (activationFields.includes(field) ? Activation.none : options.int8(field)),
      });
    const operators = file.operators.map((one) => ({ ...one, options: (type: number) => unnamed(one.options(type)) }));
    return { ...file, operators };
  };
  const activationFields: readonly number[] = [ConvField.activation, DepthwiseField.activation];

  test('the levels of what it quantised tell as much', () => {
    const { bytes, where } = fileOf(name);
    const { layers } = readChain(withoutNames(openTflite(bytes, where)));
    const activations = layers.slice(0, -1).map(({ activation }) => activation!);
    expect(activations.map(([step]) => step?.kind)).toEqual(Array(27).fill('levels'));
    expect(activations.every((activation) => sameActivation([relu6], activation))).toBe(true);
    expect(activations.every((activation) => sameActivation([clampStep(0, 1)], activation))).toBe(false);
  });
});
