// Transfer learning on pictures that are drawn on the spot: a small MobileNetV1 learns eight classes, then its features
// serve for ten under a new head, and at last a ninth class is added to the first model, which keeps what it knows.
//
//   node examples/transfer/transfer.mjs [epochs of the first training]
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu
import '@tensorflow/tfjs-backend-cpu';
import {
  evaluateClassifier,
  freeze,
  inMemoryDataset,
  MobilenetError,
  mobilenetV1,
  replaceHead,
  schedules,
  syntheticCifar10,
  trainClassifier,
} from 'mobilenet-v1-ts';

const SEED = 1;
const [epochs = '20'] = process.argv.slice(2);
try {
  await main(Number(epochs));
} catch (error) {
  if (!(error instanceof MobilenetError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** @param {number} epochs */
async function main(epochs) {
  const pictures = syntheticCifar10({ seed: SEED });
  const eight = firstClasses(pictures, 8);
  const first = mobilenetV1({
    classes: 8,
    inputShape: [32, 32, 3],
    alpha: 0.25,
    depthwiseInitializer: 'identity',
    batchNormMomentum: 0.9,
    dropout: 0,
    seed: SEED,
  });
  await train('eight classes, all layers', first, eight, {
    epochs,
    batchSize: 64,
    optimizer: 'momentum',
    learningRate: schedules.oneCycle({ rate: 0.1, peakAt: 0.25 }),
    inputRange: [-1, 1],
  });

  const ten = firstClasses(pictures, 10);
  const second = replaceHead(first, { classNames: ten.train.classNames, seed: SEED });
  console.log(`${freeze(second)} parameters of the new head are left to train`);
  await train('ten classes, the head', second, ten, { epochs: 60, learningRate: 0.003 });

  const nine = firstClasses(pictures, 9);
  const third = replaceHead(first, { classNames: nine.train.classNames, keep: true, seed: SEED });
  console.log(`a ninth class, not trained yet: ${await accuracy(third, nine.test)}`);
  await train('nine classes, the head', third, nine, { epochs: 60, learningRate: 0.003 });

  for (const model of [first, second, third]) model.dispose();
}

/**
 * @param {string} what
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {ReturnType<typeof firstClasses>} data
 * @param {import('mobilenet-v1-ts').TrainClassifierOptions} options
 */
async function train(what, model, data, options) {
  const result = await trainClassifier(model, data.train, { ...options, seed: SEED });
  const epochs = `${result.history.length} epochs in ${result.seconds.toFixed(1)} s`;
  console.log(`${what}: ${epochs}, test accuracy ${await accuracy(model, data.test)}`);
}

/**
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('mobilenet-v1-ts').ImageDataset} test
 */
async function accuracy(model, test) {
  return `${(100 * (await evaluateClassifier(model, test)).accuracy).toFixed(1)} %`;
}

/**
 * The pictures of the first classes.
 *
 * @param {ReturnType<typeof syntheticCifar10>} pictures
 * @param {number} count
 */
function firstClasses({ train, test }, count) {
  /** @param {typeof train} dataset */
  const choose = (dataset) => {
    const { height, width, channels } = dataset;
    const indices = [...dataset.labels.entries()].filter(([, label]) => label < count).map(([index]) => index);
    const classNames = dataset.classNames.slice(0, count);
    return inMemoryDataset({ ...dataset.read(indices), height, width, channels, classNames });
  };
  return { train: choose(train), test: choose(test) };
}
