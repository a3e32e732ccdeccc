import '@tensorflow/tfjs-backend-cpu';
import { inspect } from 'node:util';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { paddingStyles } from '../../src/model/architecture';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { layerRows } from './layerRows';

const variants: MobilenetV1Options[] = [
  {},
  { stemStride: 1 },
  { depthMultiplier: 2 },
  { resolutionMultiplier: 0.7 },
  { inputShape: [47, 32, 1] },
  { inputShape: [46, 50, 4], alpha: 0.4, stemStride: 3 },
  { classifierActivation: 'linear' },
  { includeTop: false },
  { includeTop: false, pooling: 'avg' },
  { includeTop: false, pooling: 'max' },
];
const cases = paddingStyles.flatMap((padding) =>
  variants.map((variant) => ({ inputShape: [50, 50, 3], alpha: 0.25, classes: 7, padding, ...variant }) as const),
);

describe('describeMobilenetV1', () => {
  test.each(cases)('says layer for layer what mobilenetV1 builds: %o', async (options) => {
    await setBackend('cpu');
    const model = mobilenetV1(options);
    const description = describeMobilenetV1(options);
    const rows = layerRows(model);
    expect(description.layers).toEqual(rows);
    expect(description.parameters).toBe(model.countParams());
    expect(description.multiplyAdds).toBe(rows.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0));
    model.dispose();
  });

  test('makes no tensors', async () => {
    await setBackend('cpu');
    const { numTensors } = memory();
    describeMobilenetV1();
    expect(memory().numTensors).toBe(numTensors);
  });

  test('is plain data in JSON', () => {
    const description = describeMobilenetV1();
    const { layers, parameters, trainableParameters, multiplyAdds } = description;
    expect(JSON.parse(JSON.stringify(description))).toEqual({ layers, parameters, trainableParameters, multiplyAdds });
  });

  test('prints as an aligned table, with console.log too', () => {
    const description = describeMobilenetV1({ alpha: 0.25 });
    const lines = `${description}`.split('\n');
    expect(lines[0]).toBe(
      'Layer                       Kind                            Output  Parameters  Multiply-adds',
    );
    expect(lines[2]).toBe(
      'conv1                       Conv2D                   112 x 112 x 8         216      2,709,504',
    );
    expect(lines.slice(-2)).toEqual(['Parameters:    475,544, of them trainable 470,072', 'Multiply-adds: 41,030,272']);
    const table = lines.slice(0, -3);
    expect(table).toHaveLength(description.layers.length + 1);
    expect(new Set(table.map((line) => line.length)).size).toBe(1);
    expect(inspect(description)).toBe(`${description}`);
  });
});
