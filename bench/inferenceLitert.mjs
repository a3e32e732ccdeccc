import { MODELS, toFloats } from './inferenceModels.mjs';

/** @type {import('./inferenceRuntimes.mjs').Opener} */
export async function openLitert({ model, precision, threads }, { read, importPeer, assets }) {
  const { loadLiteRt, loadAndCompile, Tensor } = await importPeer('@litertjs/core');
  const { size, batchSizes } = MODELS[model];
  /** @type {Map<number, Uint8Array>} */
  const files = new Map();
  for (const batchSize of batchSizes) files.set(batchSize, await read(`${precision}-${batchSize}.tflite`));
  return async () => {
    const { liteRtWasm } = await loadLiteRt(`${assets}litert/`, { threads: threads > 1 });
    // A file has a fixed batch size; only the first belongs to the load time.
    const compiled = new Map();
    const compile = async (/** @type {number} */ batchSize) => {
      const model = compiled.get(batchSize) ?? (await loadAndCompile(files.get(batchSize), { accelerator: 'wasm' }));
      compiled.set(batchSize, model);
      return model;
    };
    await compile(Number(batchSizes[0]));
    return {
      threads: threads > 1 ? liteRtWasm.getThreadCount() : 1,
      prepare(pictures, count) {
        const x = new Tensor(toFloats(pictures), [count, size, size, 3]);
        const run = async () => {
          const [logits] = await (await compile(count)).run(x);
          const probabilities = softmax(logits.toTypedArray(), count);
          logits.delete();
          return probabilities;
        };
        return { run, probabilities: run };
      },
    };
  };
}

/**
 * In JavaScript, because that of an int8 file would round to 1/256.
 *
 * @param {Float32Array} logits `[count,classes]`
 * @param {number} count
 */
function softmax(logits, count) {
  const classes = logits.length / count;
  const results = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const ofPicture = logits.subarray(start, start + classes);
    const largest = Math.max(...ofPicture);
    const powers = ofPicture.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b);
    results.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return results;
}
