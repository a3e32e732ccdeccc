// What runs in the page: small jobs on the built package, each of which gives plain numbers back to the test.
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import * as mobilenet from 'mobilenet-v1-ts';

setWasmPaths('/');

const { train } = mobilenet.syntheticCifar10({ train: 24, test: 1, seed: 2 });

/** Predictions of a fresh network, and the losses of three small steps from it. */
async function predictAndTrain(backend: string) {
  await tf.setBackend(backend);
  await tf.ready();
  const model = mobilenet.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, dropout: 0, seed: 3 });
  const { images, labels } = mobilenet.toTensors(
    { ...train.read([0, 1, 2, 3]), height: 32, width: 32, channels: 3, classes: 10 },
    { inputRange: [-1, 1] },
  );
  const output = model.predict(images) as tf.Tensor;
  const predictions = Array.from(await output.data());
  tf.dispose([images, labels, output]);
  const losses: number[] = [];
  await mobilenet.trainClassifier(model, train, {
    batchSize: 8,
    shuffle: false,
    optimizer: 'sgd',
    learningRate: 1e-6,
    inputRange: [-1, 1],
    onBatch: ({ loss }) => void losses.push(loss),
  });
  model.dispose();
  return { backend: tf.getBackend(), predictions, losses };
}

/** Gradients of a convolution and of a depthwise one with respect to input and filter, one after the other. */
async function gradients(backend: string) {
  await tf.setBackend(backend);
  await tf.ready();
  if (backend === 'wasm') await mobilenet.registerWasmTrainingKernels();
  const memory = (tf.backend() as unknown as { wasm?: { wasmMemory?: WebAssembly.Memory } }).wasm?.wasmMemory;
  const isShared = typeof SharedArrayBuffer !== 'undefined' && memory?.buffer instanceof SharedArrayBuffer;
  const values = tf.tidy(() => {
    const x = tf.randomUniform<tf.Rank.R4>([2, 9, 9, 6], -1, 1, 'float32', 1);
    const full = tf.randomUniform<tf.Rank.R4>([3, 3, 6, 5], -1, 1, 'float32', 2);
    const depthwise = tf.randomUniform<tf.Rank.R4>([3, 3, 6, 2], -1, 1, 'float32', 3);
    const both = tf.grads((a, w) => tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'))));
    const each = tf.grads((a, w) =>
      tf.sum(tf.square(tf.depthwiseConv2d(a as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'))),
    );
    return [...both([x, full]), ...each([x, depthwise])].flatMap((gradient) => Array.from(gradient.dataSync()));
  });
  return { isShared, values };
}

/** Saves to IndexedDB and loads again: whether the weights have the same bits, and what the metadata says. */
async function saveAndLoad() {
  await tf.setBackend('cpu');
  const model = mobilenet.mobilenetV1({ classes: 3, inputShape: [32, 32, 3], alpha: 0.25, seed: 3 });
  mobilenet.setModelMetadata(model, { classNames: ['a', 'b', 'c'] });
  await mobilenet.saveModel(model, 'indexeddb://test');
  const loaded = await mobilenet.loadModel('indexeddb://test');
  const bits = (m: typeof model) =>
    m
      .getWeights()
      .map((weight) => Array.from(weight.dataSync()).join())
      .join(';');
  const refusal = await mobilenet.saveModel(model, 'folder').catch((error: Error) => error.message);
  return { sameBits: bits(model) === bits(loaded), metadata: mobilenet.getModelMetadata(loaded), refusal };
}

/** Loads CIFAR-10 from an archive of this page's server. */
async function loadCifar10(source: string) {
  const phases = new Set<string>();
  const sets = await mobilenet.loadCifar10({ source, onProgress: ({ phase }) => void phases.add(phase) });
  return { train: sets.train.size, test: sets.test.size, label: sets.test.labels[9_999], phases: [...phases] };
}

/** Whether the machine offers a WebGPU adapter. */
async function hasWebgpu() {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return Boolean(await gpu?.requestAdapter());
}

const library = { predictAndTrain, gradients, saveAndLoad, loadCifar10, hasWebgpu };
export type Library = typeof library;
Object.assign(window, { library });
