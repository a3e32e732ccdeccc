// What all runtimes of an inference bench read: one model in the format of each, pictures, and the expected probabilities.
import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1, setModelMetadata } from 'mobilenet-v1-ts';
import { graphModel } from './graphModel.mjs';
import { foldedLayers } from './inferenceLayers.mjs';
import { generator, INPUT_RANGE, MODELS, makePictures, PICTURES, toFloats } from './inferenceModels.mjs';
import { onnxModel } from './onnxModel.mjs';

/** @typedef {import('./inferenceModels.mjs').ModelName} ModelName */

/** Standard deviation of the logits. With the head's initial weights every class would get about the same. */
const LOGIT_DEVIATION = 2.5;

/**
 * A model with random weights that behave as trained ones: gamma and beta differ from channel to channel, and the moving
 * statistics are those of pictures, so that activations keep their size down to the last layer. Depthwise kernels are
 * positive: with mixed signs, what tells one picture from another would fade from layer to layer, and int8's rounding with
 * it grow.
 *
 * @param {ModelName} name
 */
async function makeModel(name) {
  await tf.setBackend('wasm');
  const { alpha, size, classes } = MODELS[name];
  const inputShape = /** @type {const} */ ([size, size, 3]);
  // With momentum 0 a pass in training mode leaves the batch's own statistics as the moving ones.
  const model = mobilenetV1({ alpha, classes, inputShape, dropout: 0, batchNormMomentum: 0, seed: 1 });
  setModelMetadata(model, { inputRange: INPUT_RANGE, classNames: Array.from({ length: classes }, (_, i) => `${i}`) });
  const next = generator(2);
  tf.tidy(() => {
    for (const weight of model.weights) {
      const values = weight.read();
      if (weight.originalName.endsWith('/gamma')) weight.write(filled(values, () => 0.5 + next()));
      if (weight.originalName.endsWith('/depthwise_kernel')) weight.write(tf.abs(values));
      if (weight.originalName.endsWith('/beta')) weight.write(filled(values, () => 1.5 * next() - 0.25));
    }
    const pictures = tf.tensor(toFloats(makePictures(size)), [PICTURES, ...inputShape]);
    model.apply(pictures, { training: true });
    decideHead(model, /** @type {tf.Tensor} */ (model.predict(pictures)));
  });
  return model;
}

/**
 * Scales the logits, and shifts them so that no class is favoured for all pictures.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {tf.Tensor} probabilities of the pictures
 */
function decideHead(model, probabilities) {
  const logits = tf.log(probabilities);
  const mean = tf.mean(logits, 0);
  const gain = tf.div(LOGIT_DEVIATION, tf.sqrt(tf.mean(tf.squaredDifference(logits, mean))));
  const head = model.getLayer('conv_preds');
  const [kernel] = head.getWeights();
  if (kernel) head.setWeights([tf.mul(kernel, gain), tf.neg(tf.mul(mean, gain))]);
}

/** @param {tf.Tensor} like @param {() => number} next */
const filled = (like, next) => tf.tensor(Float32Array.from({ length: like.size }, next), like.shape);

/**
 * Writes layers.json and .bin (a layers model's artifacts), graph.json and .bin (a graph model's), model.onnx, folded.json
 * and .bin (for Python), pictures.bin (bytes `[PICTURES,H,W,3]`), expected.bin (float32 `[PICTURES,classes]`).
 *
 * @param {ModelName} name
 * @param {string} folder is made
 */
export async function writeInferenceState(name, folder) {
  mkdirSync(folder, { recursive: true });
  const write = (/** @type {string} */ file, /** @type {Uint8Array | object} */ content) =>
    writeFileSync(join(folder, file), content instanceof Uint8Array ? content : JSON.stringify(content));
  const model = await makeModel(name);
  const { size } = MODELS[name];

  const pictures = makePictures(size);
  write('pictures.bin', pictures);
  const expected = tf.tidy(() => {
    const x = tf.tensor(toFloats(pictures), [PICTURES, size, size, 3]);
    return /** @type {tf.Tensor} */ (model.predict(x)).dataSync();
  });
  write('expected.bin', bytesOf(expected));

  await model.save(
    tf.io.withSaveHandler(async ({ weightData, ...artifacts }) => {
      write('layers.json', artifacts);
      write('layers.bin', new Uint8Array(/** @type {ArrayBuffer} */ (weightData)));
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  const layers = foldedLayers(model);
  const { artifacts, weights } = graphModel(layers, size);
  write('graph.json', artifacts);
  write('graph.bin', weights);
  write('model.onnx', await onnxModel(layers, size));
  write('folded.json', {
    size,
    layers: layers.map(({ kernel, bias, ...layer }) => ({ ...layer, filters: bias.length })),
  });
  write('folded.bin', Buffer.concat(layers.flatMap(({ kernel, bias }) => [bytesOf(kernel), bytesOf(bias)])));
  model.dispose();
}

const bytesOf = (/** @type {ArrayBufferView} */ { buffer, byteOffset, byteLength }) =>
  new Uint8Array(buffer, byteOffset, byteLength);
