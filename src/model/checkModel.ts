import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, quoted } from '../errors';

/** Throws unless it is a model that is alive, of any copy of tfjs-layers; a loader's promise is the usual mistake. */
export function checkModel(where: string, model: unknown): asserts model is LayersModel {
  const { weights } = (model ?? {}) as LayersModel;
  check(Array.isArray(weights), { where, expected: 'a tf.LayersModel', received: quoted(model) });
  const isDisposed = weights.some((weight) => (weight as unknown as { val: Variable }).val.isDisposed);
  check(!isDisposed, { where, expected: 'a tf.LayersModel', received: 'one that was disposed of' });
}
