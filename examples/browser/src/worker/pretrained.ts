import type { LayersModel } from '@tensorflow/tfjs-layers';
import { getModelMetadata, loadPretrained } from 'mobilenet-v1-ts';
import { loadCifar10Model } from 'mobilenet-v1-ts/cifar10';
import type { Pretrained } from '../protocol';
import { emit } from './serve';

export const PRETRAINED_TITLES: Record<Pretrained, string> = {
  cifar10: 'CIFAR-10, trained beforehand',
  imagenet: 'ImageNet, trained beforehand',
};

/** CIFAR-10's comes with the page; ImageNet's is fetched once, and kept. */
export async function openPretrained(which: Pretrained): Promise<LayersModel> {
  if (which === 'cifar10') return loadCifar10Model({ alpha: 1 });
  return loadPretrained({
    source: 'tfjs',
    alpha: 0.25,
    onProgress: ({ loaded, total }) => emit('loading', { what: 'Downloading ImageNet weights', done: loaded, total }),
  });
}

export function namesOf(model: LayersModel): readonly string[] {
  const { classNames } = getModelMetadata(model);
  if (!classNames) throw new Error('This model does not say what its classes are called: untick “Keep the classes”.');
  return classNames;
}
