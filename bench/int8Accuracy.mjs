// What int8 costs in accuracy: measures a saved model on all CIFAR-10 test pictures in float32 and in int8, with and
// without a calibration. `npm start -- --out my-model` makes such a model.
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { batches, createClassifier, loadCifar10, loadModel, takeDataset } from 'mobilenet-v1-ts';

const {
  model: folder,
  data,
  json,
} = new Command()
  .description('What int8 costs in accuracy on CIFAR-10.')
  .requiredOption('--model <folder>', 'a model as saveModel writes it')
  .option('--data <path>', 'where CIFAR-10 lies; without it it is fetched')
  .option('--json', 'one object a line')
  .parse()
  .opts();

await setBackend('cpu');
const { train, test } = await loadCifar10(data === undefined ? {} : { source: data });
const model = await loadModel(folder);

/** @type {[name: string, options: import('mobilenet-v1-ts').CreateClassifierOptions][]} */
const cases = [
  ['float32', {}],
  ['int8', { precision: 'int8' }],
  ['int8, calibrated', { precision: 'int8', calibration: takeDataset(train, 256) }],
];
let reference = 0;
for (const [name, options] of cases) {
  const accuracy = await accuracyOf(await createClassifier(model, { engine: 'fused', ...options }));
  reference ||= accuracy;
  const lost = 100 * (reference - accuracy);
  if (json) console.log(JSON.stringify({ bench: 'int8', precision: name, accuracy, lostPoints: lost }));
  else console.log(`${name.padEnd(18)} ${(100 * accuracy).toFixed(2)} %   ${lost.toFixed(2)} points lost`);
}

/** @param {import('mobilenet-v1-ts').Classifier} classifier */
async function accuracyOf(classifier) {
  const { size, height, width } = test;
  let right = 0;
  for await (const { images, labels } of batches(test, { batchSize: 500, shuffle: false })) {
    const bytes = images.length / labels.length;
    const pictures = Array.from(labels, (_, i) => {
      return { data: images.subarray(i * bytes, (i + 1) * bytes), width, height };
    });
    const found = await classifier.classifyBatch(pictures, { topK: 1 });
    right += found.filter(([best], i) => best?.classIndex === labels[i]).length;
  }
  await classifier.dispose();
  return right / size;
}
