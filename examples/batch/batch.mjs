// Classifies all pictures of a folder and of the folders in it, on all processors, into CSV or lines of JSON:
//
//   node examples/batch/batch.mjs photos > classes.csv
//   node examples/batch/batch.mjs photos --model my-model --format ndjson --top-k 3 --out classes.ndjson
//
// Pictures that cannot be read are listed on stderr at the end, and the exit code is then 1.
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu sharp commander
import { createWriteStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { classifyFolder } from './classifyFolder.mjs';
import { formats } from './formats.mjs';

const program = new Command('batch.mjs')
  .description('Classifies all pictures of a folder and of the folders in it.')
  .argument('<folder>')
  .option('--model <place>', "a model's folder, or 'cifar10', which comes with the package", 'cifar10')
  .addOption(new Option('--format <name>').choices(Object.keys(formats)).default('csv'))
  .option('--top-k <number>', 'how many classes of each picture', positiveInteger, 1)
  .option('--processes <number>', "default: the machine's processors", positiveInteger, availableParallelism())
  .option('--out <file>', 'default: stdout')
  .parse();
const { model, format, topK, processes, out } = program.opts();
const [folder = ''] = program.args;

/** @type {import('./classifyFolder.mjs').Unreadable[]} */
const broken = [];
let classified = 0;
const begin = performance.now();
try {
  await pipeline(
    Readable.from(lines()),
    out === undefined ? process.stdout : createWriteStream(out),
    // stdout is not ours to end.
    { end: out !== undefined },
  );
  const seconds = (performance.now() - begin) / 1000;
  console.error(`${classified} pictures in ${seconds.toFixed(1)} s, ${(classified / seconds).toFixed(1)} a second.`);
  for (const { error } of broken) console.error(`Not classified: ${error}`);
  if (broken.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** What the file will hold, as it comes; it waits for whoever writes. */
async function* lines() {
  const { head, line } = formats[/** @type {keyof typeof formats} */ (format)];
  yield head(topK);
  for await (const result of classifyFolder(folder, { model, topK, processes })) {
    if ('error' in result) {
      broken.push(result);
    } else {
      classified++;
      yield line(result, topK);
    }
  }
}

/** @param {string} text */
function positiveInteger(text) {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('Expected an integer above 0.');
  return value;
}
