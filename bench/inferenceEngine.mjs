import { MODELS } from './inferenceModels.mjs';
import { layersModelOpener } from './inferenceTfjs.mjs';

/**
 * The engine as users meet it: pictures as bytes in, the first class out.
 *
 * @type {import('./inferenceRuntimes.mjs').Opener}
 */
export async function openEngine({ model: name, threads, precision }, { read }) {
  const { createClassifier } = await import('mobilenet-v1-ts');
  const { setBackend } = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
  const openModel = await layersModelOpener(read);
  const { size, classes } = MODELS[name];
  return async () => {
    // Within what is timed and weighed, as the others' models are.
    const model = await openModel();
    const classifier = await createClassifier(model, { engine: 'fused', threads, precision });
    const { info } = classifier;
    return {
      module: info.module,
      threads: info.threads,
      wasmMegabytes: info.megabytes,
      prepare(pictures, count) {
        const bytes = size * size * 3;
        const images = Array.from({ length: count }, (_, i) => ({
          data: pictures.slice(i * bytes, (i + 1) * bytes),
          width: size,
          height: size,
        }));
        const classify = async (/** @type {number} */ topK) => {
          const [image] = images;
          return count === 1 && image
            ? [await classifier.classify(image, { topK })]
            : classifier.classifyBatch(images, { topK });
        };
        return {
          run: () => classify(1),
          async probabilities() {
            const values = new Float32Array(count * classes);
            for (const [i, classifications] of (await classify(classes)).entries()) {
              for (const { classIndex, probability } of classifications) values[i * classes + classIndex] = probability;
            }
            return values;
          },
        };
      },
    };
  };
}
