// Classifies 100,000 pictures of all kinds, some of which are given up or broken, and tells what the process holds on the way.
// It fails where the second half of them leaves anything behind.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { MobilenetError, syntheticCifar10 } from 'mobilenet-v1-ts';
import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';
import sharp from 'sharp';
import { grown, held } from './loadMemory.mjs';
import { positiveInteger, printRows } from './output.mjs';

/** Calls that are made before the first of them is back. */
const CALLS = 50;

/** How often it is looked what is held. */
const LOOKS = 10;

const { count, threads, json } = new Command()
  .description('Classifies many pictures, and tells what the process holds on the way.')
  .option('--count <number>', 'pictures', positiveInteger, 100_000)
  .option('--threads <number>', "default: the machine's", positiveInteger)
  .option('--json', 'one object a line', false)
  .parse()
  .opts();

await tf.setBackend('cpu');
const SIDE = 32;
const { images } = syntheticCifar10({ train: 1, test: 1 }).train;
const pixels = { data: images, width: SIDE, height: SIDE };
const raw = sharp(images, { raw: { width: SIDE, height: SIDE, channels: 3 } });
const [jpeg, png] = await Promise.all([raw.clone().jpeg().toBuffer(), raw.clone().png().toBuffer()]);
const tensor = /** @type {tf.Tensor3D} */ (tf.tensor3d(Uint8Array.from(images), [SIDE, SIDE, 3], 'int32'));
const classifier = await cifar10Classifier({ threads });

/** @type {(() => Promise<unknown>)[]} They take turns. */
const kinds = [
  () => classifier.classify(pixels),
  () => classifier.classify(tensor),
  () => classifier.classify(jpeg),
  () => classifier.classify(png),
  () => classifier.classify(new Blob([new Uint8Array(jpeg)])),
  () => classifier.embed(pixels),
  () => expectFailure(classifier.classify(jpeg.subarray(0, 100)), 'invalid-data'),
  () => expectFailure(givenUp(), 'given up'),
];

/** @type {({ pictures: number, seconds: number } & import('./loadMemory.mjs').Held)[]} */
const rows = [];
const begin = performance.now();
for (let done = 0; done < count; ) {
  const part = Math.ceil((count * (rows.length + 1)) / LOOKS);
  while (done < part) {
    const calls = Math.min(CALLS, part - done);
    const start = done;
    await Promise.all(Array.from({ length: calls }, (_, i) => kinds[(start + i) % kinds.length]?.()));
    done += calls;
  }
  rows.push({ pictures: done, seconds: Math.round((performance.now() - begin) / 1000), ...(await held()) });
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}`);
}
await classifier.dispose();

printRows(rows, {
  json,
  columns: {
    pictures: ({ pictures }) => pictures,
    seconds: ({ seconds }) => seconds,
    'heap, MB': ({ heap }) => heap,
    'buffers, MB': ({ buffers }) => buffers,
    'RSS, MB': ({ rss }) => rss,
    tensors: ({ tensors }) => tensors,
  },
});
const [middle, end] = [rows[LOOKS / 2 - 1], rows[LOOKS - 1]];
if (!middle || !end) throw new Error(`Expected ${LOOKS} looks.`);
const growth = grown(middle, end);
for (const line of growth) console.error(`Grown: ${line}`);
if (growth.length > 0) process.exitCode = 1;

function givenUp() {
  const stop = new AbortController();
  const call = classifier.classify(jpeg, { signal: stop.signal });
  stop.abort('given up');
  return call;
}

/**
 * @param {Promise<unknown>} call
 * @param {string} expected the error's code, or the signal's reason
 */
async function expectFailure(call, expected) {
  const received = await call.then(
    () => 'a result',
    (error) => (error instanceof MobilenetError ? error.code : error),
  );
  if (received !== expected) throw new Error(`Expected ${expected}, received ${received}.`);
}
