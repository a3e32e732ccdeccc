import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStages } from '../../src/graph/readStages';
import type { FeatureSize, Stage, StageGraph } from '../../src/graph/stage';
import { paddingStyles } from '../../src/model/architecture';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { graphOf } from './chains';

beforeAll(() => tf.setBackend('cpu'));

const variants: MobilenetV1Options[] = [
  {},
  { alpha: 0.5, stemStride: 1 },
  { depthMultiplier: 2, classifierActivation: 'linear' },
  { inputShape: [61, 47, 1], stemStride: 3, dropout: 0 },
  { includeTop: false, pooling: 'avg' },
];
const cases = paddingStyles.flatMap((padding) =>
  variants.map(
    (variant): MobilenetV1Options => ({ inputShape: [50, 50, 3], alpha: 0.25, classes: 7, padding, ...variant }),
  ),
);

describe('readStages of mobilenetV1', () => {
  test.each(cases)('gives the stages that describeMobilenetV1 counts: %o', (options) => {
    const { layers, parameters } = describeMobilenetV1(options);
    const graph = graphOf(mobilenetV1(options));

    const { dropout = 0.5, includeTop = true } = options;
    const operations = layers.filter(({ kind, name }) => kind in kinds && (name !== 'dropout' || dropout > 0));
    expect(graph.stages.map(({ name, kind }) => [name, kind])).toEqual(operations.map((l) => [l.name, kinds[l.kind]]));
    for (const [i, { outputShape }] of operations.entries()) {
      expect(valuesOf(graph.stages[i]!.output)).toBe(outputShape.slice(1).reduce<number>((n, size) => n * size!, 1));
    }

    const linear = !includeTop || options.classifierActivation === 'linear';
    expect(graph.outputKind).toBe(linear ? 'logits' : 'probabilities');
    expect(graph.classes).toBe(includeTop ? 7 : 256);
    expect(graph.weights.reduce((total, { shape }) => total + tf.util.sizeFromShape([...shape]), 0)).toBe(parameters);
    for (const [i, stage] of graph.stages.entries()) {
      expect(stage.input).toEqual(i === 0 ? graph.input : graph.stages[i - 1]!.output);
      checkWeights(graph, stage);
    }
  });

  test('fuses each convolution with its batch norm and ReLU6, and leaves the classifier its bias', () => {
    const { stages } = graphOf(mobilenetV1({ alpha: 0.25, batchNormEpsilon: 0.02, batchNormMomentum: 0.9 }));
    for (const { name, batchNorm, clamp, bias } of stages.slice(0, 27)) {
      expect(batchNorm).toMatchObject({ name: `${name}_bn`, epsilon: 0.02, momentum: 0.9 });
      expect(clamp).toEqual([0, 6]);
      expect(bias).toBeUndefined();
    }
    expect(stages).toHaveLength(30);
    expect(stages[28]).toMatchObject({ kind: 'dropout', rate: 0.5 });
    expect(stages[29]).toMatchObject({ name: 'conv_preds', clamp: [-Infinity, Infinity], batchNorm: undefined });
    expect(stages[29]!.bias).toBeDefined();
  });

  // On the 19 x 18 map before conv_dw_2: `same` wants one row before and one behind, and one column behind.
  test.each([
    ['same', 1, 0],
    ['keras', 0, 0],
    ['torch', 1, 1],
  ] as const)("merges the padding '%s' into the windows", (padding, padTop, padLeft) => {
    const inputShape = [19, 18, 3] as const;
    const { stages } = graphOf(mobilenetV1({ alpha: 0.25, inputShape, padding, stemStride: 1 }));
    const stage = stages.find(({ name }) => name === 'conv_dw_2')!;
    expect(stage.input).toMatchObject({ height: 19, width: 18 });
    expect(stage).toMatchObject({
      window: { kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2, padTop, padLeft },
      output: { height: padding === 'keras' ? 9 : 10, width: 9 },
    });
  });

  test('makes no tensors, and gives plain data', () => {
    const model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3] });
    const { numTensors } = tf.memory();
    const read = readStages(model);
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(structuredClone(read)).toEqual(read);
  });
});

/** The stage that each kind of layer becomes. */
const kinds: Record<string, Stage['kind']> = {
  Conv2D: 'conv',
  DepthwiseConv2D: 'depthwise',
  GlobalAveragePooling2D: 'pool',
  Dropout: 'dropout',
};

/** Each reference leads to the weight of that name and shape. */
function checkWeights({ weights }: StageGraph, stage: Stage): void {
  const { channels } = stage.input;
  const at = (ref: { index: number } | undefined) => ref && weights[ref.index];
  if (stage.kind === 'conv') {
    const { kernelHeight, kernelWidth } = stage.window;
    const shape = [kernelHeight, kernelWidth, channels, stage.output.channels];
    expect(at(stage.kernel)).toEqual({ name: `${stage.name}/kernel`, shape });
  }
  if (stage.kind === 'depthwise') {
    expect(stage.output.channels).toBe(channels * stage.multiplier);
    const shape = [3, 3, channels, stage.multiplier];
    expect(at(stage.kernel)).toEqual({ name: `${stage.name}/depthwise_kernel`, shape });
  }
  const shape = [stage.output.channels];
  if (stage.bias) expect(at(stage.bias)).toEqual({ name: `${stage.name}/bias`, shape });
  if (stage.batchNorm) {
    const { name, gamma, beta, movingMean, movingVariance } = stage.batchNorm;
    expect(at(gamma)).toEqual({ name: `${name}/gamma`, shape });
    expect(at(beta)).toEqual({ name: `${name}/beta`, shape });
    expect(at(movingMean)).toEqual({ name: `${name}/moving_mean`, shape });
    expect(at(movingVariance)).toEqual({ name: `${name}/moving_variance`, shape });
  }
}

function valuesOf({ height, width, channels }: FeatureSize): number {
  return height * width * channels;
}
