import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// In a process of its own, with the package as it is built: what is left over can then be seen.
const script = `
  import '@tensorflow/tfjs-backend-cpu';
  import * as tf from '@tensorflow/tfjs-core';
  import { mobilenetV1, syntheticCifar10, trainClassifier } from 'mobilenet-v1-ts';

  await tf.setBackend('cpu');
  const { train } = syntheticCifar10({ train: 16, test: 1 });
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
  const endings = [
    {},
    { onBatch: () => Promise.reject(new Error('a hook')) },
    { signal: AbortSignal.abort() },
    { optimizer: 'sgd', learningRate: 1e40 },
  ];
  const run = (i) =>
    trainClassifier(model, train, { engine: 'fused', threads: 2, batchSize: 8, ...endings[i % endings.length] }).then(
      ({ engine }) => engine,
      ({ name }) => name,
    );
  const outcomes = new Set();
  for (let i = 0; i < 8; i++) outcomes.add(await run(i));
  const before = { rss: process.memoryUsage().rss, tensors: tf.memory().numTensors };
  for (let i = 0; i < 100; i++) await run(i);
  await new Promise((resolve) => setTimeout(resolve, 100));
  console.log(JSON.stringify({
    outcomes: [...outcomes],
    grownMegabytes: (process.memoryUsage().rss - before.rss) / 2 ** 20,
    grownTensors: tf.memory().numTensors - before.tensors,
    left: process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap'),
  }));`;

test('a hundred trainings that end in four ways leave no thread, no tensor, and less memory than three would take', async () => {
  const args = ['--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 55_000 });
  const { outcomes, grownMegabytes, grownTensors, left } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(outcomes).toEqual(['fused', 'Error', 'AbortError', 'MobilenetError']);
  expect(grownTensors).toBe(0);
  expect(left).toEqual([]);
  expect(grownMegabytes).toBeLessThan(60);
});
