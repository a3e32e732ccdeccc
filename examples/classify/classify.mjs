// Classifies picture files with a model that `npm start` (or saveModel) has written.
//
//   node examples/classify/classify.mjs trained-model cat.jpg dog.png
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu sharp
import '@tensorflow/tfjs-backend-cpu';
import { createClassifier, MobilenetError } from 'mobilenet-v1-ts';

const [model, ...files] = process.argv.slice(2);
if (model === undefined || files.length === 0) {
  console.error('Usage: node classify.mjs <model folder> <picture> ...');
  process.exit(2);
}
try {
  const classifier = await createClassifier(model);
  for (const file of files) {
    const found = await classifier.classify(file, { topK: 3 });
    const words = found.map(({ className, probability }) => `${className} ${(100 * probability).toFixed(1)} %`);
    console.log(`${file}: ${words.join(', ')}`);
  }
  await classifier.dispose();
} catch (error) {
  if (!(error instanceof MobilenetError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
