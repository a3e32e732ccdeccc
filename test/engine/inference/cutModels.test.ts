import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStages } from '../../../src/graph/readStages';
import { mobilenetV1 } from '../../../src/model/mobilenetV1';
import { flavours } from '../../kernels/engine/arena';
import { randomizeWeights } from '../models';
import { foldedGraph, inputRange, logSoftmax, predict, randomPixels } from './cases';
import { createInlineInference } from './inlineInference';
import { relativeError } from './reference';

const SEED = 71;

const models: Record<string, () => LayersModel> = {
  MobileNet: () => mobilenetV1({ alpha: 0.05, inputShape: [33, 31, 3], classes: 6, padding: 'keras', seed: 1 }),
  'a chain': () =>
    sequential({
      layers: [
        layers.zeroPadding2d({ inputShape: [6, 7, 3], padding: 1 }),
        layers.conv2d({ filters: 5, kernelSize: 3, strides: 2 }),
        layers.dropout({ rate: 0.4 }),
        layers.batchNormalization({}),
        layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'relu' }),
        layers.reLU({ maxValue: 1 }),
        layers.flatten(),
        layers.reLU({}),
        layers.dense({ units: 12, activation: 'relu6' }),
        layers.reshape({ targetShape: [2, 6] }),
        layers.flatten(),
        layers.dense({ units: 4 }),
        layers.softmax({}),
      ],
    }),
};

beforeAll(() => setBackend('cpu'));

describe.each(flavours)('%s', (_, module) => {
  test.each(Object.entries(models))(
    `%s cut off at any layer gives within 1e-4 what tfjs gives, or is refused at a zero padding (seed ${SEED})`,
    (_name, build) => {
      const whole = build();
      randomizeWeights(whole, SEED);
      const pixels = randomPixels(whole, 2, SEED, 'bytes');
      const withoutStages: string[] = [];
      for (const layer of whole.layers) {
        const cut = model({ inputs: whole.inputs, outputs: layer.output as SymbolicTensor });
        const read = readStages(cut, { anyOutput: true });
        if ('unsupported' in read) {
          withoutStages.push(layer.getClassName());
          continue;
        }
        const graph = foldedGraph(cut);
        const actual = createInlineInference(module, { graph, inputRange }).run(pixels, 2);
        const expected = predict(cut, pixels, 2);
        const error =
          graph.outputKind === 'logits'
            ? relativeError(actual, expected)
            : relativeError(logSoftmax(actual, actual.length / 2), expected.map(Math.log));
        expect(error, layer.name).toBeLessThan(1e-4);
      }
      expect(withoutStages.filter((name) => name !== 'InputLayer' && name !== 'ZeroPadding2D')).toEqual([]);
    },
  );
});
