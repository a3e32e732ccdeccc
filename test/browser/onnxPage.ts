// What runs in the page: a model is exported, and onnxruntime-web and tfjs classify the same pictures.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-web/wasm';
import { type ExportOnnxOptions, exportOnnx } from '../../src/formats/exportOnnx';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { randomizeWeights } from '../graph/chains';

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = '/';

/** The logits of two pictures, by either. */
async function compare(options: ExportOnnxOptions): Promise<{ onnx: number[]; tfjs: number[] }> {
  await tf.setBackend('cpu');
  const shape: [number, number, number, number] = [2, 33, 37, 3];
  const model = mobilenetV1({ alpha: 0.125, inputShape: [33, 37, 3], classes: 5, classifierActivation: 'linear' });
  randomizeWeights(model, createRandom(3));
  const random = createRandom(4);
  const pictures = Float32Array.from({ length: 2 * 33 * 37 * 3 }, () => 2 * random.uniform() - 1);
  const predicted = tf.tidy(() => (model.predict(tf.tensor4d(pictures, shape)) as tf.Tensor).dataSync());
  const session = await ort.InferenceSession.create(await exportOnnx(model, options), { executionProviders: ['wasm'] });
  const outputs = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', pictures, shape) });
  return { onnx: [...(outputs[session.outputNames[0]!]!.data as Float32Array)], tfjs: [...predicted] };
}

const onnx = { compare };
export type OnnxPage = typeof onnx;
Object.assign(window, { onnx });
