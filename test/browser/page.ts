// What runs in the page: small jobs on the built package, each of which gives plain numbers back to the test.
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import * as mobilenet from 'mobilenet-v1-ts';

setWasmPaths('/');

const { train } = mobilenet.syntheticCifar10({ train: 24, test: 1, seed: 2 });

/** What is read after training: kernels from both ends of the network, and weights that began at zero. */
const TRAINED = [
  'conv1/kernel',
  'conv1_bn/beta',
  'conv_dw_1/depthwise_kernel',
  'conv_pw_13_bn/beta',
  'conv_preds/bias',
];

/** The losses of three small steps of a fresh network, by how much they moved its weights, and what it then predicts. */
async function trainAndPredict(backend: string) {
  await tf.setBackend(backend);
  await tf.ready();
  const { model, losses, updates } = await train3Steps({ engine: 'tfjs' });
  const { images, labels } = mobilenet.toTensors(
    { ...train.read([0, 1, 2, 3]), height: 32, width: 32, channels: 3, classes: 10 },
    { inputRange: [-1, 1] },
  );
  const output = model.predict(images) as tf.Tensor;
  const predictions = Array.from(await output.data());
  tf.dispose([images, labels, output]);
  model.dispose();
  return { backend: tf.getBackend(), isShared: hasSharedMemory(), losses, updates, predictions };
}

/** The same three steps in the engine: from what the package has inlined, or from what the page's server has. */
async function trainFused(threads: number, files: 'inlined' | 'served') {
  await tf.setBackend('cpu');
  const served: mobilenet.ConfigureEngineOptions = {
    createWorker: () => new Worker('/worker.js', { type: 'module' }),
    wasm: (flavour) => `/wasm/${flavour}.wasm`,
  };
  mobilenet.configureEngine(files === 'served' ? served : {});
  const { model, result, losses, updates } = await train3Steps({ engine: 'fused', threads });
  model.dispose();
  return { engine: result.engine, module: result.module, threads: result.threads, losses, updates };
}

async function train3Steps(options: mobilenet.TrainClassifierOptions) {
  const model = mobilenet.mobilenetV1({
    classes: 10,
    inputShape: [32, 32, 3],
    alpha: 0.25,
    dropout: 0,
    // With the default, batch norm's averages would stay so far from the pictures' that each class gets exactly 0.1.
    batchNormMomentum: 0.1,
    seed: 3,
  });
  const before = await readTrained(model);
  const losses: number[] = [];
  // At larger steps rounding alone parts the backends by the third: batch norm at 1x1 pixels amplifies it.
  const result = await mobilenet.trainClassifier(model, train, {
    batchSize: 8,
    shuffle: false,
    optimizer: 'sgd',
    learningRate: 1e-6,
    inputRange: [-1, 1],
    onBatch: ({ loss }) => void losses.push(loss),
    ...options,
  });
  const after = await readTrained(model);
  const updates = after.map((values, i) => values.map((value, k) => value - before[i]![k]!));
  return { model, result, losses, updates };
}

/** Not by dataSync(), with which webgpu gives wrong numbers in headless Chromium. */
function readTrained(model: ReturnType<typeof mobilenet.mobilenetV1>): Promise<number[][]> {
  const weights = new Map(model.weights.map((weight) => [weight.originalName, weight]));
  return Promise.all(TRAINED.map(async (name) => Array.from(await weights.get(name)!.read().data())));
}

/** Whether the wasm backend is tfjs's threaded build. */
function hasSharedMemory(): boolean {
  const memory = (tf.backend() as { wasm?: { wasmMemory?: WebAssembly.Memory } }).wasm?.wasmMemory;
  return typeof SharedArrayBuffer !== 'undefined' && memory?.buffer instanceof SharedArrayBuffer;
}

/** Gradients of a convolution and of a depthwise one with respect to input and filter, one after the other. */
async function gradients(backend: string) {
  await tf.setBackend(backend);
  await tf.ready();
  if (backend === 'wasm') await mobilenet.registerWasmTrainingKernels();
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
  return { isShared: hasSharedMemory(), values };
}

/** Saves to IndexedDB and loads again: whether the weights have the same bits, and what the metadata says. */
async function saveAndLoad() {
  await tf.setBackend('cpu');
  const model = mobilenet.mobilenetV1({ classes: 3, inputShape: [32, 32, 3], alpha: 0.25, seed: 3 });
  // The saved initializers have the seed too: only weights that they do not give prove that weights came back.
  tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.add(weight, 0.1))));
  mobilenet.setModelMetadata(model, { classNames: ['a', 'b', 'c'] });
  await mobilenet.saveModel(model, 'indexeddb://test');
  const loaded = await mobilenet.loadModel('indexeddb://test');
  const restored = loaded.getWeights().map((weight) => weight.dataSync());
  const sameBits = model.getWeights().every((weight, i) => {
    const values = weight.dataSync();
    return values.length === restored[i]!.length && values.every((value, k) => Object.is(value, restored[i]![k]));
  });
  const refusal = await mobilenet.saveModel(model, 'folder').catch((error: Error) => error.message);
  return { sameBits, metadata: mobilenet.getModelMetadata(loaded), refusal };
}

/** Loads CIFAR-10 from an archive of this page's server; `progress` is the last number of bytes of each phase. */
async function loadCifar10(source: string) {
  const progress: Record<string, number> = {};
  const { train, test } = await mobilenet.loadCifar10({
    source,
    onProgress: ({ phase, loaded }) => {
      progress[phase] = loaded;
    },
  });
  return { train: train.size, test: test.size, label: test.labels[9_999], progress };
}

/** Probabilities of a canvas, three times at once, and its embedding. */
async function classify(options: mobilenet.CreateClassifierOptions) {
  await tf.setBackend('cpu');
  const model = mobilenet.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 3 });
  // A fresh net sees next to nothing.
  const random = (shape: number[], low: number, high: number) => tf.randomUniform(shape, low, high, 'float32', 5);
  for (const weight of model.weights) {
    const { originalName, shape } = weight;
    if (!/gamma|variance/.test(originalName)) continue;
    const values = random(shape as number[], 0.5, 1.5);
    weight.write(values);
    values.dispose();
  }
  const canvas = document.createElement('canvas');
  canvas.width = 48;
  canvas.height = 32;
  const context = canvas.getContext('2d')!;
  for (let x = 0; x < 48; x++) {
    context.fillStyle = `rgb(${5 * x}, ${255 - 5 * x}, ${(x * 37) % 256})`;
    context.fillRect(x, 0, 1, 16 + ((x * 7) % 16));
  }
  const classifier = await mobilenet.createClassifier(model, options);
  const calls = await Promise.all([1, 2, 3].map(() => classifier.classify(canvas, { topK: 10 })));
  const embedding = await classifier.embed(canvas);
  await classifier.dispose();
  model.dispose();
  const probabilities = calls.map((found) =>
    found.sort((a, b) => a.classIndex - b.classIndex).map(({ probability }) => probability),
  );
  return { info: classifier.info, probabilities, embedding: Array.from(embedding) };
}

/** Whether the machine offers a WebGPU adapter. */
async function hasWebgpu() {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return Boolean(await gpu?.requestAdapter());
}

const library = { trainAndPredict, trainFused, classify, gradients, saveAndLoad, loadCifar10, hasWebgpu };
export type Library = typeof library;
Object.assign(window, { library });
