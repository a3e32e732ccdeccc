// Trains a small MobileNetV1 on your own pictures for a minute (or as many as you say), saves it, and tells how many pictures
// that it has not learned from it classifies right. The folder has one sub-folder for each class:
//
//   pets/cats/1.jpg  pets/cats/2.png  pets/dogs/1.jpg ...
//
//   node examples/ownPictures/train.mjs pets [minutes]
//   node examples/classify/classify.mjs own-model pets/cats/1.jpg
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu sharp
import '@tensorflow/tfjs-backend-cpu';
import { isAbsolute, relative } from 'node:path';
import {
  evaluateClassifier,
  loadImageFolder,
  MobilenetError,
  mobilenetV1,
  recipes,
  saveModel,
  splitDataset,
  trainClassifier,
} from 'mobilenet-v1-ts';

const SIZE = 96;
const MODEL = 'own-model';

const [folder, minutes = '1'] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node train.mjs <folder of pictures> [minutes]');
  process.exit(2);
}
const way = relative(folder, MODEL);
if (!way.startsWith('.') && !isAbsolute(way)) {
  console.error(
    `The model is saved as ${MODEL}, which must not be in the folder of pictures: run this outside of '${folder}'.`,
  );
  process.exit(2);
}
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
try {
  await main(folder, Number(minutes), stop.signal);
} catch (error) {
  if (stop.signal.aborted) {
    console.error('Stopped.');
    process.exitCode = 130;
  } else if (error instanceof MobilenetError) {
    console.error(error.message);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {number} maxMinutes
 * @param {AbortSignal} signal
 */
async function main(folder, maxMinutes, signal) {
  const pictures = await loadImageFolder(folder, { size: SIZE, broken: 'skip', signal });
  for (const { file, reason } of pictures.broken) console.error(`Left out ${file}: ${reason}`);
  console.log(`${pictures.size} pictures of ${pictures.classNames.join(', ')}`);

  const { train, validation } = await splitDataset(pictures, { fraction: 0.2, seed: 1 });
  const model = mobilenetV1({
    classes: pictures.classNames.length,
    inputShape: [SIZE, SIZE, 3],
    alpha: 0.25,
    // A minute is few steps: batch norm's usual 0.99 would leave its moving averages behind.
    batchNormMomentum: 0.9,
    dropout: 0,
    seed: 1,
  });
  await trainClassifier(model, train, {
    ...recipes.quick,
    maxMinutes,
    inputRange: [-1, 1],
    augment: { crop: { padding: 8, fill: 'reflect' }, flip: 'random', brightness: 0.2, contrast: 0.2 },
    validation,
    seed: 1,
    progress: 'auto',
    signal,
  });
  await saveModel(model, MODEL);

  const { accuracy, perClass } = await evaluateClassifier(model, validation, { signal });
  for (const { className, size, accuracy } of perClass)
    console.log(`${className}: ${size > 0 ? `${(100 * accuracy).toFixed(1)} % right` : 'too few to hold one back'}`);
  console.log(`All ${validation.size} that were held back: ${(100 * accuracy).toFixed(1)} % right; saved to ${MODEL}`);
  model.dispose();
}
