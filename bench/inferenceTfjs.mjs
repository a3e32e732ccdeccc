import { MODELS, toFloats } from './inferenceModels.mjs';

/** @typedef {import('./inferenceRuntimes.mjs').Surroundings} Surroundings */

/** @type {import('./inferenceRuntimes.mjs').Opener} */
export async function openTfjsLayers({ model, threads }, { read, assets }) {
  const openModel = await layersModelOpener(read);
  return openOnWasm(openModel, MODELS[model].size, threads, assets);
}

/** @type {import('./inferenceRuntimes.mjs').Opener} */
export async function openTfjsGraph({ model, threads }, { read, importPeer, assets }) {
  const { io } = await import('@tensorflow/tfjs-core');
  const { loadGraphModel } = await importPeer('@tensorflow/tfjs-converter');
  const artifacts = await readArtifacts('graph', read);
  return openOnWasm(() => loadGraphModel(io.fromMemory(artifacts)), MODELS[model].size, threads, assets);
}

/** Gives a function that makes the layers model, on whatever backend there is by then. @param {Surroundings['read']} read */
export async function layersModelOpener(read) {
  const { io } = await import('@tensorflow/tfjs-core');
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  const artifacts = await readArtifacts('layers', read);
  return () => loadLayersModel(io.fromMemory(artifacts));
}

/**
 * @param {'layers' | 'graph'} name
 * @param {Surroundings['read']} read
 * @returns {Promise<import('@tensorflow/tfjs-core').io.ModelArtifacts>}
 */
async function readArtifacts(name, read) {
  const artifacts = JSON.parse(new TextDecoder().decode(await read(`${name}.json`)));
  return { ...artifacts, weightData: (await read(`${name}.bin`)).buffer };
}

/**
 * @param {() => Promise<{ predict(x: any): any }>} openModel
 * @param {number} size of the pictures
 * @param {number} threads
 * @param {string | undefined} assets
 * @returns {Promise<() => Promise<import('./inferenceRuntimes.mjs').ReadyModel>>}
 */
async function openOnWasm(openModel, size, threads, assets) {
  const tf = await import('@tensorflow/tfjs-core');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (assets !== undefined) wasm.setWasmPaths(`${assets}tfjs/`);
  wasm.setThreadsCount(threads);
  return async () => {
    await tf.setBackend('wasm');
    const model = await openModel();
    return {
      threads: wasm.getThreadsCount(),
      prepare(pictures, count) {
        const x = tf.tensor(toFloats(pictures), [count, size, size, 3]);
        const run = async () => {
          const y = model.predict(x);
          const probabilities = await y.data();
          y.dispose();
          return probabilities;
        };
        return { run, probabilities: run };
      },
    };
  };
}
