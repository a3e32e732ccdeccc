// What was trained elsewhere comes back: loads the weights into the same network, and compares its predictions with those
// that the other side wrote beside them (the file's name with .json: probabilities [N,10] of the first N pictures).
//
//   node examples/scaling/compare.mjs scaling/model scaling/trained.keras
import '@tensorflow/tfjs-backend-cpu';
import { readFile } from 'node:fs/promises';
import { setBackend } from '@tensorflow/tfjs-core';
import { createClassifier, loadModel, loadWeights, syntheticCifar10 } from 'mobilenet-v1-ts';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error('Usage: compare.mjs MODEL_FOLDER WEIGHTS_FILE');
await setBackend('cpu');

const model = await loadModel(folder);
const { format, layers } = await loadWeights(model, file);
console.log(`${layers.length} layers from ${file} (${format})`);

/** @type {number[][]} */
const expected = JSON.parse(await readFile(`${file}.json`, 'utf8'));
const { train } = syntheticCifar10({ train: 512, test: 128, seed: 1 });
const classifier = await createClassifier(model, { preprocessing: { inputRange: [0, 1] } });
let largest = 0;
for (const [i, row] of expected.entries()) {
  const { images: data } = await train.read([i]);
  const classes = await classifier.classify({ data, width: 32, height: 32 }, { topK: row.length });
  const probabilities = new Map(classes.map(({ classIndex, probability }) => [classIndex, probability]));
  for (const [index, value] of row.entries())
    largest = Math.max(largest, Math.abs(value - (probabilities.get(index) ?? Number.NaN)));
}
await classifier.dispose();
console.log(`${expected.length} pictures: probabilities differ by at most ${largest.toExponential(1)}`);
if (!(largest < 1e-4)) process.exitCode = 1;
