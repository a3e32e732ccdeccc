// The classic TensorFlow tutorial on MobileNetV1, in JavaScript: load CIFAR-10, look at it, build the network from its blocks,
// train it for thirty epochs, look at the curves, measure, save, and classify. To be read from top to bottom.
//
//   node examples/tutorial/tutorial.mjs                          downloads 170 MB once; takes 26 minutes on two cores
//   node examples/tutorial/tutorial.mjs --data synthetic --epochs 1 --alpha 0.25       needs no network, and some seconds
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu commander
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import { Command } from 'commander';
import {
  convBlock,
  createClassifier,
  depthwiseConvBlock,
  evaluateClassifier,
  loadCifar10,
  recipes,
  saveModel,
  syntheticCifar10,
  trainClassifier,
} from 'mobilenet-v1-ts';

const { data, epochs, alpha, depthMultiplier, out } = new Command('tutorial.mjs')
  .description('Trains a MobileNetV1 on CIFAR-10 as the TensorFlow tutorial does.')
  .option('--data <place>', "where CIFAR-10 is; 'synthetic' for pictures that are drawn on the spot")
  .option('--epochs <number>', 'passes over the training pictures', Number, recipes.tutorial.epochs)
  .option('--alpha <number>', 'width of the network: every layer has so many times its channels', Number, 1)
  .option('--depth-multiplier <number>', 'depthwise filters of each channel', Number, 1)
  .option('--out <folder>', 'where report.html and the model go', 'tutorial-model')
  .parse()
  .opts();

// 1. The data: pictures of 32 x 32 as bytes, and a class from 0 to 9 for each. Dividing by 255 and one-hot labels, which the
// tutorial does here, are part of the training.
const { train, test } = data === 'synthetic' ? syntheticCifar10() : await loadCifar10({ source: data });
const { height, width, channels, classNames } = train;
console.log(`${train.size} training and ${test.size} test pictures: ${classNames.join(', ')}`);

// 2. The network: a convolution, thirteen depthwise separable ones, and a classifier. `filters` and `strides` of each as in
// table 1 of the paper (arXiv 1704.04861). `mobilenetV1` of this library is the same in one call.
const ROWS = [
  { filters: 64, strides: 1 },
  { filters: 128, strides: 2 },
  { filters: 128, strides: 1 },
  { filters: 256, strides: 2 },
  { filters: 256, strides: 1 },
  { filters: 512, strides: 2 },
  ...Array(5).fill({ filters: 512, strides: 1 }),
  { filters: 1024, strides: 2 },
  { filters: 1024, strides: 1 },
];

/**
 * With the tutorial's two hyper-parameters. (It takes the second for the paper's resolution multiplier, which is another
 * thing: that one makes the pictures smaller.)
 *
 * @param {{ alpha: number, depthMultiplier: number }} options
 */
function buildNetwork({ alpha, depthMultiplier }) {
  const pictures = tf.input({ shape: [height, width, channels] });
  let features = convBlock(pictures, { filters: 32, strides: 2, alpha, seed: 0 });
  for (const [i, { filters, strides }] of ROWS.entries()) {
    features = depthwiseConvBlock(features, { filters, strides, alpha, depthMultiplier, seed: i + 1 });
  }
  const pooled = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(features);
  const dropped = tf.layers.dropout({ rate: 0.5 }).apply(pooled);
  const kernelInitializer = tf.initializers.glorotUniform({ seed: ROWS.length + 1 });
  const head = tf.layers.dense({ units: classNames.length, activation: 'softmax', kernelInitializer });
  const classes = /** @type {tf.SymbolicTensor} */ (head.apply(dropped));
  return tf.model({ inputs: pictures, outputs: classes });
}

const model = buildNetwork({ alpha, depthMultiplier });
console.log(`${model.countParams()} parameters`);

// 3. Train: Adam at 1e-5, batches of 128. The report shows fifteen of the pictures in three rows, and the curves of loss and
// accuracy, while it trains; it loads itself anew.
console.log(`${out}/report.html shows how it goes.`);
const { history } = await trainClassifier(model, train, {
  ...recipes.tutorial,
  epochs,
  validation: test,
  seed: 1,
  reportDir: out,
  progress: 'auto',
});
console.table(history, ['loss', 'accuracy', 'valLoss', 'valAccuracy']);

// 4. Measure: all test pictures, and each class of them.
const { accuracy, perClass } = await evaluateClassifier(model, test);
for (const each of perClass) console.log(`${each.className}: ${percent(each.accuracy)}`);
console.log(`All test pictures: ${percent(accuracy)} right`);

// 5. Save, load, classify. The class names and the range of the pixels were kept with the model.
await saveModel(model, out);
const classifier = await createClassifier(out);
const { images, labels } = await test.read([0]);
const [best] = await classifier.classify({ data: images, width, height });
console.log(`The first test picture is of class ${classNames[Number(labels[0])]}, and taken for ${best?.className}.`);
await classifier.dispose();

/** @param {number} fraction */
function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
