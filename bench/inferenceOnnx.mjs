import { MODELS, toFloats } from './inferenceModels.mjs';

/** @type {import('./inferenceRuntimes.mjs').Opener} */
export async function openOnnxruntimeWeb({ model, threads }, { read, importPeer, assets }) {
  const ort = await importPeer('onnxruntime-web');
  ort.env.wasm.numThreads = threads;
  if (assets !== undefined) ort.env.wasm.wasmPaths = `${assets}onnxruntime-web/`;
  return sessionOpener(ort, await read('model.onnx'), { executionProviders: ['wasm'] }, MODELS[model].size);
}

/** @type {import('./inferenceRuntimes.mjs').Opener} */
export async function openOnnxruntimeNode({ model, threads }, { read, importPeer }) {
  const { default: ort } = await importPeer('onnxruntime-node');
  const options = { executionProviders: ['cpu'], intraOpNumThreads: threads };
  return sessionOpener(ort, await read('model.onnx'), options, MODELS[model].size);
}

/**
 * @param {any} ort
 * @param {Uint8Array} file
 * @param {object} options
 * @param {number} size of the pictures
 * @returns {() => Promise<import('./inferenceRuntimes.mjs').ReadyModel>}
 */
function sessionOpener(ort, file, options, size) {
  return async () => {
    const session = await ort.InferenceSession.create(file, options);
    return {
      prepare(pictures, count) {
        const x = new ort.Tensor('float32', toPlanes(toFloats(pictures), size * size), [count, 3, size, size]);
        const run = async () => (await session.run({ x })).probabilities.data;
        return { run, probabilities: run };
      },
    };
  };
}

/**
 * `[N,H,W,3]` as `[N,3,H,W]`.
 *
 * @param {Float32Array} pixels
 * @param {number} plane how many pixels a picture has
 */
function toPlanes(pixels, plane) {
  return pixels.map((_, i) => {
    const picture = i - (i % (3 * plane));
    const channel = Math.floor((i - picture) / plane);
    return Number(pixels[picture + (i % plane) * 3 + channel]);
  });
}
