import type { Classifier, ImageDataset } from 'mobilenet-v1-ts';

import mobilenet = require('mobilenet-v1-ts');
import trained = require('mobilenet-v1-ts/cifar10');

// What is compiled to require() sees the same types as what is compiled to import.
const data: ImageDataset = mobilenet.syntheticCifar10({ train: 8, test: 1 }).train;
const started: Promise<Classifier> = trained.cifar10Classifier.call(undefined, { alpha: 0.25, engine: 'tfjs' });
started.catch((error: unknown) => {
  if (!(error instanceof mobilenet.MobilenetError) || error.code !== 'missing-backend') throw error;
  console.log(JSON.stringify({ refused: error.code, size: data.size }));
});
