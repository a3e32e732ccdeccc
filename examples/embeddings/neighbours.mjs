// Which pictures of a folder look most like a given one? Each becomes an embedding, the features that the network has just
// before its classes, and those at the smallest angle are the nearest.
//
//   node examples/embeddings/neighbours.mjs photos cat.jpg
//   node examples/embeddings/neighbours.mjs photos cat.jpg --model my-model --count 10
//
// The model that comes with the package has seen the ten classes of CIFAR-10, at 32 x 32; one that has seen more knows more.
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu sharp \
//     commander cli-table3
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { createClassifier, MobilenetError } from 'mobilenet-v1-ts';
import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';
import { EmbeddingIndex } from './embeddingIndex.mjs';

/** Pictures that are read ahead. */
const GROUP = 32;

const program = new Command('neighbours.mjs')
  .description('Finds the pictures of a folder, and of the folders in it, that look most like a given one.')
  .argument('<folder>')
  .argument('<picture>')
  .option('--model <place>', "a model's folder, or 'cifar10', which comes with the package", 'cifar10')
  .option('--count <number>', 'how many pictures', positiveInteger, 5)
  .parse();
const { model, count } = program.opts();
const [folder = '', picture = ''] = program.args;
try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main() {
  const classifier = model === 'cifar10' ? await cifar10Classifier({ alpha: 1 }) : await createClassifier(model);
  const wanted = await classifier.embed(picture);
  const index = await indexFolder(classifier);
  await classifier.dispose();

  console.error(`${index.size} pictures, ${wanted.length} numbers each`);
  const table = new Table({
    head: ['picture', 'cosine'],
    colAligns: ['left', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, cosine } of index.nearest(wanted, count)) table.push([name, cosine.toFixed(4)]);
  console.log(table.toString());
}

/**
 * The embeddings of all pictures that can be read.
 *
 * @param {import('mobilenet-v1-ts').Classifier} classifier
 */
async function indexFolder(classifier) {
  const index = new EmbeddingIndex();
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  for (let i = 0; i < files.length; i += GROUP) {
    const group = files.slice(i, i + GROUP).map((name) => join(folder, name));
    // The calls queue up, and their pictures are read meanwhile.
    const embeddings = await Promise.all(group.map((file) => classifier.embed(file).catch(leaveOut)));
    group.forEach((file, n) => {
      const embedding = embeddings[n];
      if (embedding) index.add(file, embedding);
    });
  }
  return index;
}

/**
 * A picture that cannot be read is left out; any other error would come with every picture.
 *
 * @param {unknown} error
 */
function leaveOut(error) {
  const isUnreadable =
    error instanceof MobilenetError && (error.code === 'invalid-data' || error.code === 'file-system');
  if (!isUnreadable) throw error;
  console.error(`Left out: ${error.message}`);
  return undefined;
}

/** @param {string} text */
function positiveInteger(text) {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('Expected an integer above 0.');
  return value;
}
