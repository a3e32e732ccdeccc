import { util } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const METHOD = 'addWeight';

/**
 * Builds layers, but none with more values in their weights than `limit` altogether.
 *
 * tfjs makes each weight as large as a topology says, and fills it with random numbers, before anyone can compare it with
 * the file. All layers get their weights from one method, which is replaced while `build` runs, and nobody else does.
 */
export function limitWeights<T>(limit: number, build: () => T): T {
  const { prototype } = layers.Layer;
  const addWeight: unknown = Reflect.get(prototype, METHOD);
  if (typeof addWeight !== 'function') return build();
  let left = limit;
  const addLimited = function (this: unknown, name: string, shape: number[], ...others: unknown[]): unknown {
    left -= util.sizeFromShape(shape);
    // Not a number where a size is none.
    if (!(left >= 0)) throw new Error(`Weight ${name} [${shape}] is larger than what is left of the file's values`);
    return Reflect.apply(addWeight, this, [name, shape, ...others]);
  };
  Reflect.set(prototype, METHOD, addLimited);
  try {
    return build();
  } finally {
    Reflect.set(prototype, METHOD, addWeight);
  }
}
