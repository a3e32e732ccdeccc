// How each runtime loads a model and classifies, in Node and in a page alike. What a runtime takes as input is made before
// anything is timed: float tensors for the peers, in the layout that they want, and bytes for the engine.
import { MODELS, toFloats } from './inferenceModels.mjs';

/** @typedef {'engine' | 'tfjs-layers' | 'tfjs-graph' | 'onnxruntime-web' | 'onnxruntime-node' | 'litert'} Runtime */

/**
 * @typedef {object} Job
 * @property {import('./inferenceModels.mjs').ModelName} model
 * @property {Runtime} runtime
 * @property {'float32' | 'int8'} precision
 * @property {number} threads
 */

/**
 * What a job finds in the place where it runs.
 *
 * @typedef {object} Surroundings
 * @property {(file: string) => Promise<Uint8Array<ArrayBuffer>>} read a file of the bench's folder
 * @property {(peer: import('./peers.mjs').Peer) => Promise<any>} importPeer
 * @property {string | undefined} assets where pages find the WebAssembly files of peers; undefined in Node
 */

/**
 * A model that is ready to classify.
 *
 * @typedef {object} Opened
 * @property {(pictures: Uint8Array, count: number) => Prepared} prepare
 * @property {string} [module] of the engine: the kernels' instructions
 * @property {number} [wasmMegabytes]
 * @property {number} [threads] on which it really runs, where it tells
 */

/**
 * @typedef {object} Prepared
 * @property {() => Promise<unknown>} run classifies the pictures; what is timed
 * @property {() => Promise<Float32Array>} probabilities the same, with all of its outputs
 */

/**
 * Reads the files and imports the runtime; the function that it gives opens the model from memory.
 *
 * @type {Record<Runtime, (job: Job, surroundings: Surroundings) => Promise<() => Promise<Opened>>>}
 */
export const runtimes = {
  async engine({ model: name, threads, precision }, { read }) {
    const { createClassifier } = await import('mobilenet-v1-ts');
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    const model = await loadLayersModel(read);
    const { size, classes } = MODELS[name];
    return async () => {
      const classifier = await createClassifier(model, { engine: 'fused', threads, precision });
      const { info } = classifier;
      return {
        module: info.module,
        threads: info.threads,
        wasmMegabytes: info.megabytes,
        prepare(pictures, count) {
          const images = Array.from({ length: count }, (_, i) => {
            const data = pictures.slice(i * size * size * 3, (i + 1) * size * size * 3);
            return { data, width: size, height: size };
          });
          const [image] = images;
          if (!image) throw new Error('Expected a picture.');
          const classify = async (/** @type {number} */ topK) =>
            count === 1 ? [await classifier.classify(image, { topK })] : classifier.classifyBatch(images, { topK });
          return {
            run: () => classify(1),
            async probabilities() {
              const results = new Float32Array(count * classes);
              for (const [i, predictions] of (await classify(classes)).entries()) {
                for (const { classIndex, probability } of predictions) results[i * classes + classIndex] = probability;
              }
              return results;
            },
          };
        },
      };
    };
  },

  async 'tfjs-layers'({ model: name, threads }, { read, assets }) {
    const { tf, ready, threadsCount } = await importTfjs(threads, assets);
    const open = await layersModelOpener(read);
    return async () => {
      await ready();
      const model = await open();
      return { threads: threadsCount(), prepare: tfjsPreparer(tf, MODELS[name].size, (x) => model.predict(x)) };
    };
  },

  async 'tfjs-graph'({ model: name, threads }, { read, importPeer, assets }) {
    const { tf, ready, threadsCount } = await importTfjs(threads, assets);
    const { loadGraphModel } = await importPeer('@tensorflow/tfjs-converter');
    const artifacts = JSON.parse(new TextDecoder().decode(await read('graph.json')));
    const weightData = (await read('graph.bin')).buffer;
    return async () => {
      await ready();
      const model = await loadGraphModel(tf.io.fromMemory({ ...artifacts, weightData }));
      return { threads: threadsCount(), prepare: tfjsPreparer(tf, MODELS[name].size, (x) => model.predict(x)) };
    };
  },

  async 'onnxruntime-web'(job, { read, importPeer, assets }) {
    const ort = await importPeer('onnxruntime-web');
    ort.env.wasm.numThreads = job.threads;
    if (assets !== undefined) ort.env.wasm.wasmPaths = `${assets}onnxruntime-web/`;
    return onnxOpener(ort, await read('model.onnx'), job, { executionProviders: ['wasm'] });
  },

  async 'onnxruntime-node'(job, { read, importPeer }) {
    const { default: ort } = await importPeer('onnxruntime-node');
    const sessionOptions = { executionProviders: ['cpu'], intraOpNumThreads: job.threads };
    return onnxOpener(ort, await read('model.onnx'), job, sessionOptions);
  },

  async litert({ model: name, precision, threads }, { read, importPeer, assets }) {
    const { loadLiteRt, loadAndCompile, Tensor } = await importPeer('@litertjs/core');
    const { size, batchSizes } = MODELS[name];
    /** @type {Map<number, Uint8Array>} */
    const files = new Map();
    for (const batchSize of batchSizes) files.set(batchSize, await read(`${precision}-${batchSize}.tflite`));
    return async () => {
      const { liteRtWasm } = await loadLiteRt(`${assets}litert/`, { threads: threads > 1 });
      // The batch size is part of a file. Only the first belongs to the load time.
      const models = new Map();
      const model = async (/** @type {number} */ batchSize) => {
        if (!models.has(batchSize))
          models.set(batchSize, await loadAndCompile(files.get(batchSize), { accelerator: 'wasm' }));
        return models.get(batchSize);
      };
      await model(Number(batchSizes[0]));
      return {
        threads: threads > 1 ? liteRtWasm.getThreadCount() : 1,
        prepare(pictures, count) {
          const input = new Tensor(toFloats(pictures), [count, size, size, 3]);
          const run = async () => {
            const [output] = await (await model(count)).run(input);
            const values = softmax(output.toTypedArray(), count);
            output.delete();
            return values;
          };
          return { run, probabilities: run };
        },
      };
    };
  },
};

/** @param {number} threads @param {string | undefined} assets */
async function importTfjs(threads, assets) {
  const tf = await import('@tensorflow/tfjs-core');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (assets !== undefined) wasm.setWasmPaths(`${assets}tfjs/`);
  wasm.setThreadsCount(threads);
  return { tf, ready: () => tf.setBackend('wasm'), threadsCount: wasm.getThreadsCount };
}

/**
 * @param {typeof import('@tensorflow/tfjs-core')} tf
 * @param {number} size
 * @param {(x: any) => any} predict
 * @returns {Opened['prepare']}
 */
function tfjsPreparer(tf, size, predict) {
  return (pictures, count) => {
    const x = tf.tensor(toFloats(pictures), [count, size, size, 3]);
    const run = async () => {
      const y = predict(x);
      const values = await y.data();
      y.dispose();
      return values;
    };
    return { run, probabilities: run };
  };
}

/**
 * @param {any} ort
 * @param {Uint8Array} file
 * @param {Job} job
 * @param {object} sessionOptions
 * @returns {() => Promise<Opened>}
 */
function onnxOpener(ort, file, { model }, sessionOptions) {
  const { size } = MODELS[model];
  return async () => {
    const session = await ort.InferenceSession.create(file, sessionOptions);
    return {
      prepare(pictures, count) {
        const x = new ort.Tensor('float32', toPlanes(toFloats(pictures), size), [count, 3, size, size]);
        const run = async () => (await session.run({ x })).probabilities.data;
        return { run, probabilities: run };
      },
    };
  };
}

/** @param {Float32Array} logits @param {number} count of pictures */
function softmax(logits, count) {
  const classes = logits.length / count;
  const results = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const ofPicture = logits.subarray(start, start + classes);
    const most = Math.max(...ofPicture);
    const powers = ofPicture.map((value) => Math.exp(value - most));
    const sum = powers.reduce((a, b) => a + b);
    results.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return results;
}

/** `[N,size,size,3]` as `[N,3,size,size]`. @param {Float32Array} pixels @param {number} size */
function toPlanes(pixels, size) {
  const plane = size * size;
  return pixels.map((_, i) => {
    const channel = Math.floor(i / plane) % 3;
    return Number(pixels[i - (i % (3 * plane)) + (i % plane) * 3 + channel]);
  });
}

/** @param {Surroundings['read']} read */
async function layersModelOpener(read) {
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  const { io } = await import('@tensorflow/tfjs-core');
  const artifacts = JSON.parse(new TextDecoder().decode(await read('layers.json')));
  const weightData = (await read('layers.bin')).buffer;
  return () => loadLayersModel(io.fromMemory({ ...artifacts, weightData }));
}

/** @param {Surroundings['read']} read */
async function loadLayersModel(read) {
  return (await layersModelOpener(read))();
}
