import { expect, test } from 'vitest';
import { checkpointLayers } from '../../src/formats/keras/checkpointWeights';
import type { Hdf5Group } from '../../src/formats/keras/hdf5/hdf5Group';
import type { ConfigLayer } from '../../src/formats/keras/modelConfig';
import type { Values } from '../../src/formats/networkWeights';

type Tree = { [name: string]: Tree | Values };

const isValues = (entry: Tree | Values | undefined): entry is Values => entry !== undefined && 'shape' in entry;

/** What a file has, without the file. */
function groupOf(tree: Tree): Hdf5Group {
  const group = {
    names: Object.keys(tree),
    has: (name: string) => name in tree,
    group: (name: string) => (tree[name] && !isValues(tree[name]) ? groupOf(tree[name]) : undefined),
    values: (name: string) => (isValues(tree[name]) ? tree[name] : undefined),
    strings: () => undefined,
  };
  return group as unknown as Hdf5Group;
}

const layer = (className: string, name: string, layers?: ConfigLayer[]) =>
  ({ name, className, config: {}, ...(layers && { layers }) }) as unknown as ConfigLayer;

test('a model without weights, before one of its class, is not taken for that', () => {
  const kernel: Values = { shape: [2, 3], data: new Float32Array(6) };
  const bias: Values = { shape: [3], data: new Float32Array(3) };
  const root = groupOf({
    layers: {
      sequential: { layers: { random_flip: { vars: {} } } },
      sequential_1: { layers: { dense: { vars: { 0: kernel, 1: bias } } } },
    },
  });
  const config = [
    layer('Sequential', 'augmentation', [layer('RandomFlip', 'flip')]),
    layer('Sequential', 'head', [layer('Dense', 'classes')]),
  ];
  const [dense, ...others] = checkpointLayers('model.keras', root, config);
  expect(others).toEqual([]);
  expect(dense).toMatchObject({ name: 'classes', className: 'Dense' });
  expect([...dense!.weights]).toEqual([
    ['kernel', kernel],
    ['bias', bias],
  ]);
});
