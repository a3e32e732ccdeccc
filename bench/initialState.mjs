// What all runtimes of a bench start from. JavaScript makes it anew from the seed; PyTorch reads it from files.
import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1, syntheticCifar10 } from 'mobilenet-v1-ts';
import { BATCH_SIZE, netOptions } from './nets.mjs';

/** Batches that every run goes through in turn. */
const BATCHES = 3;
const { train } = syntheticCifar10({ train: BATCHES * BATCH_SIZE, test: 10, seed: 1 });

/**
 * The same few batches over and over, `size` pictures in all.
 *
 * @param {number} size
 * @returns {import('mobilenet-v1-ts').ImageDataset}
 */
export function pictures(size) {
  return { ...train, size, read: (indices) => train.read(Array.from(indices, (index) => index % train.size)) };
}

/**
 * The first of them, with one-hot targets.
 *
 * @param {number} size
 */
export async function firstBatch(size) {
  const { images, labels } = await pictures(size).read(Array.from({ length: size }, (_, i) => i));
  const { height, width, channels, classNames } = train;
  const classes = classNames.length;
  const targets = new Float32Array(size * classes);
  labels.forEach((label, i) => {
    targets[i * classes + label] = 1;
  });
  return { images, labels, targets, height, width, channels, classes };
}

/**
 * Writes weights.bin (flat float32, in the order of weights.json), images.bin (bytes `[N,H,W,C]`) and labels.bin (bytes).
 *
 * @param {import('./nets.mjs').Net} net
 * @param {string} folder is made
 */
export async function writeInitialState(net, folder) {
  mkdirSync(folder, { recursive: true });
  await tf.setBackend('cpu');
  const model = mobilenetV1(netOptions(net));
  const weights = model.weights.map((weight) => ({ name: weight.originalName, shape: weight.shape }));
  const values = model.weights.map((weight) => Buffer.from(new Uint8Array(weight.read().dataSync().buffer)));
  model.dispose();
  writeFileSync(join(folder, 'weights.json'), JSON.stringify(weights));
  writeFileSync(join(folder, 'weights.bin'), Buffer.concat(values));
  writeFileSync(join(folder, 'images.bin'), train.images);
  writeFileSync(join(folder, 'labels.bin'), Uint8Array.from(train.labels));
}
