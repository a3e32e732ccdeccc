// Ten trainings, each alone and then twice all at once in one process: they must end with the same bits, and the second time
// must leave nothing behind.
import { createHash } from 'node:crypto';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { mobilenetV1, recipes, syntheticCifar10, trainClassifier } from 'mobilenet-v1-ts';
import { grown, held } from './loadMemory.mjs';
import { positiveInteger, printRows } from './output.mjs';

const { count, epochs, pictures, threads, json } = new Command()
  .description('Trains alone and at once, and compares the bits.')
  .option('--count <number>', 'trainings', positiveInteger, 10)
  .option('--epochs <number>', 'of each', positiveInteger, 3)
  .option('--pictures <number>', 'of each', positiveInteger, 512)
  .option('--threads <number>', "of each (default: the machine's)", positiveInteger)
  .option('--json', 'one object a line', false)
  .parse()
  .opts();

await setBackend('cpu');
const seeds = Array.from({ length: count }, (_, i) => i + 1);

const alone = await timed(async () => {
  const results = [];
  for (const seed of seeds) results.push(await train(seed));
  return results;
});
const together = await timed(() => Promise.all(seeds.map(train)));
const before = await held();
const again = await timed(() => Promise.all(seeds.map(train)));
const after = await held();

const rows = alone.results.map((result, i) => {
  const others = [together.results[i], again.results[i]];
  return { ...result, same: others.every((other) => other?.loss === result.loss && other.digest === result.digest) };
});
printRows(rows, {
  json,
  columns: {
    seed: ({ seed }) => seed,
    'loss, alone': ({ loss }) => loss.toFixed(6),
    'weights, alone': ({ digest }) => digest.slice(0, 16),
    'at once, twice': ({ same }) => (same ? 'the same bits' : 'other bits'),
  },
});
console.error(`One after the other ${alone.seconds.toFixed(1)} s, at once ${together.seconds.toFixed(1)} s.`);
console.error(`Held after the first time: ${JSON.stringify(before)}; after the second: ${JSON.stringify(after)}`);
const faults = grown(before, after).map((line) => `Grown: ${line}`);
if (!rows.every(({ same }) => same)) faults.push('Trainings at once disturb one another.');
if (new Set(rows.map(({ digest }) => digest)).size < count) faults.push('Two seeds gave the same weights.');
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

/** @param {number} seed of pictures, weights, order and augmentation */
async function train(seed) {
  const { train } = syntheticCifar10({ train: pictures, test: 1, seed });
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, batchNormMomentum: 0.9, seed });
  const { history } = await trainClassifier(model, train, {
    ...recipes.quick,
    maxMinutes: undefined,
    epochs,
    batchSize: 64,
    threads,
    seed,
  });
  const hash = createHash('sha256');
  for (const weight of model.getWeights()) hash.update(new Uint8Array((await weight.data()).slice().buffer));
  model.dispose();
  return { seed, loss: Number(history.at(-1)?.loss), digest: hash.digest('hex') };
}

/**
 * @template Result
 * @param {() => Promise<Result>} work
 */
async function timed(work) {
  const begin = performance.now();
  const results = await work();
  return { results, seconds: (performance.now() - begin) / 1000 };
}
