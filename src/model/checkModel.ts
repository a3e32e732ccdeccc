import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, quoted } from '../errors';

/** Throws unless it is a model, of any copy of tfjs-layers; a loader's promise is the usual mistake. */
export function checkModel(where: string, model: unknown): asserts model is LayersModel {
  const isModel = Array.isArray((model as LayersModel | undefined)?.weights);
  check(isModel, { where, expected: 'a tf.LayersModel', received: quoted(model) });
}
