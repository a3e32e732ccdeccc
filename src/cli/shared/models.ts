import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Cifar10Alpha } from '../../cifar10';
import { loadModel } from '../../index';
import { startTfjs } from './tfjs';

/** Names of the trained models that come with the package; a folder of such a name is `./cifar10`. */
const PACKAGED: Readonly<Record<string, Cifar10Alpha>> = { cifar10: 1, 'cifar10:0.25': 0.25 };

/** Does something with a model, which is gone afterwards. */
export async function withModel<Result>(
  place: string,
  signal: AbortSignal,
  work: (model: LayersModel) => Promise<Result>,
): Promise<Result> {
  await startTfjs();
  const model = await openModel(place, signal);
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}

/** A model out of a tfjs folder, from an address, or of this package. */
export async function openModel(place: string, signal: AbortSignal): Promise<LayersModel> {
  if (!Object.hasOwn(PACKAGED, place)) return loadModel(place, { signal });
  const { loadCifar10Model } = await import('../../cifar10');
  return loadCifar10Model({ alpha: PACKAGED[place]!, signal });
}
