// How good is a net, and how sure is that? Trains it on every four fifths of a dataset and validates it on the fifth
// that is left (stratified 5-fold cross-validation); the data are synthetic.
//
//   node examples/kFold/kFold.mjs [epochs]
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu
import '@tensorflow/tfjs-backend-cpu';
import {
  evaluateClassifier,
  foldDataset,
  MobilenetError,
  mobilenetV1,
  recipes,
  syntheticCifar10,
  trainClassifier,
} from 'mobilenet-v1-ts';

const epochs = Number(process.argv[2] ?? 10);
const FOLDS = 5;
const SEED = 1;
try {
  await main();
} catch (error) {
  if (!(error instanceof MobilenetError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { train: pictures } = syntheticCifar10({ train: 2000, seed: SEED });
  const accuracies = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { train, validation } = await foldDataset(pictures, { folds: FOLDS, fold, seed: SEED });
    const model = mobilenetV1({
      inputShape: [pictures.height, pictures.width, pictures.channels],
      classes: pictures.classNames.length,
      alpha: 0.25,
      dropout: 0,
      // A short training: batch norm's usual 0.99 would leave its moving averages behind.
      batchNormMomentum: 0.9,
      seed: SEED,
    });
    await trainClassifier(model, train, { ...recipes.quick, maxMinutes: undefined, epochs, seed: SEED });
    const { accuracy } = await evaluateClassifier(model, validation);
    model.dispose();
    accuracies.push(accuracy);
    console.log(`fold ${fold + 1} of ${FOLDS}: ${percent(accuracy)} of ${validation.size} pictures`);
  }

  const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / FOLDS;
  const variance = accuracies.reduce((sum, accuracy) => sum + (accuracy - mean) ** 2, 0) / (FOLDS - 1);
  console.log(`mean ${percent(mean)}, standard deviation ${percent(Math.sqrt(variance))}`);
}

/** @param {number} fraction */
function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
