import type { LayersModel } from '@tensorflow/tfjs-layers';
import { freeze, type ImageDataset, loadPretrained, mobilenetV1, replaceHead } from '../../index';
import { type Session, say } from '../session';
import { withProgressBar } from '../shared/progressBar';
import { grouped } from '../shared/text';
import { networkOf } from './network';
import type { TrainOptions } from './trainOptions';

/** A fresh network, or features that were learned on ImageNet under a fresh head, of which only the head is trained. */
export async function buildModel(options: TrainOptions, dataset: ImageDataset, session: Session): Promise<LayersModel> {
  const { height, width, channels, classNames } = dataset;
  if (options.pretrained !== undefined) return loadFeatures(options, dataset, session);
  const network = networkOf(options, Math.min(height, width));
  return mobilenetV1({ ...network, classes: classNames.length, inputShape: [height, width, channels] });
}

async function loadFeatures(
  { pretrained, weights, alpha, seed }: TrainOptions,
  { height, classNames }: ImageDataset,
  session: Session,
): Promise<LayersModel> {
  const features = await withProgressBar(session, `weights of ${pretrained}`, (report) =>
    loadPretrained({
      source: pretrained!,
      ...(alpha !== undefined && { alpha }),
      ...(weights !== undefined && { url: weights }),
      resolution: height,
      includeTop: false,
      signal: session.signal,
      onProgress: ({ loaded, total }) => report(loaded, total),
    }),
  );
  try {
    const model = replaceHead(features, { classNames, seed });
    say(session, `Features of ${pretrained}; ${grouped(freeze(model))} parameters of a new head are trained`);
    return model;
  } finally {
    features.dispose();
  }
}
