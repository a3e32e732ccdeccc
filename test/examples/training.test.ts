// The examples that train, each as a process of its own, shortly and on drawn pictures.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMobilenetV1 } from 'mobilenet-v1-ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTree } from '../data/imageFolderFixture';
import { drawnJpeg, drawnPng } from './drawnPictures';
import { runExample } from './runExample';

// Trainings take long where something else keeps the processors busy.
const TIMEOUT_MS = 180_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'training examples '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  'tutorial: fifteen samples and the curves in the report, figures of each class, a model that classifies',
  async () => {
    const args = '--data synthetic --epochs 1 --alpha 0.125 --depth-multiplier 2 --out tutorial'.split(' ');
    const { code, stdout, stderr } = await runExample('tutorial/tutorial.mjs', args, folder);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^2000 training and 500 test pictures: circle, ring, /);
    const network = { alpha: 0.125, depthMultiplier: 2, classes: 10, inputShape: [32, 32, 3] } as const;
    expect(stdout).toContain(`\n${describeMobilenetV1(network).parameters} parameters\n`);
    expect(stdout.match(/^\w+: \d+\.\d %$/gm)).toHaveLength(10);
    expect(stdout).toMatch(/^All test pictures: \d+\.\d % right$/m);
    expect(stdout).toMatch(/^The first test picture is of class \w+, and taken for \w+\.$/m);

    const report = readFileSync(join(folder, 'tutorial', 'report.html'), 'utf8');
    expect(report.match(/<figure/g)?.length).toBeGreaterThanOrEqual(15);
    const history = JSON.parse(readFileSync(join(folder, 'tutorial', 'history.json'), 'utf8'));
    expect(history.epochs).toHaveLength(1);
    expect(existsSync(join(folder, 'tutorial', 'model.json'))).toBe(true);
  },
  TIMEOUT_MS,
);

test(
  'own pictures: trains on a folder, leaves broken files out, and the classify example takes its model',
  async () => {
    const files: Record<string, Uint8Array | string> = { 'ring/broken.jpg': 'no picture' };
    for (const name of ['ring', 'stripes']) {
      for (let n = 0; n < 5; n++) files[`${name}/${n}.jpg`] = await drawnJpeg(name, n);
      files[`${name}/last.png`] = await drawnPng(name, 5);
    }
    const pictures = await writeTree(files);
    try {
      const trained = await runExample('ownPictures/train.mjs', [pictures, '0.01'], folder);
      expect(trained.code, trained.stderr).toBe(0);
      expect(trained.stderr).toMatch(/^Left out .*broken\.jpg: /m);
      expect(trained.stdout).toMatch(/^12 pictures of ring, stripes\n/);
      expect(trained.stdout).toMatch(/^All \d that were held back: \d+\.\d % right; saved to own-model$/m);

      const args = ['own-model', join(pictures, 'ring/0.jpg'), join(pictures, 'stripes/last.png')];
      const classified = await runExample('classify/classify.mjs', args, folder);
      expect(classified.code, classified.stderr).toBe(0);
      expect(classified.stdout).toMatch(/^.*0\.jpg: (ring|stripes) \d+\.\d %, (ring|stripes) \d+\.\d %\n.*last\.png: /);
    } finally {
      rmSync(pictures, { recursive: true });
    }
  },
  TIMEOUT_MS,
);

test('own pictures: where the model would be a class of theirs, it says so first', async () => {
  const { code, stderr } = await runExample('ownPictures/train.mjs', ['.'], folder);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "The model is saved as own-model, which must not be in the folder of pictures: run this outside of '.'.\n",
  });
});

test('own pictures: a folder that is missing is one line on stderr', async () => {
  const { code, stderr } = await runExample('ownPictures/train.mjs', ['nowhere'], folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^loadImageFolder: .*nowhere.*\n$/);
});

test(
  'k-fold: an accuracy for each fifth, their mean and deviation',
  async () => {
    const { code, stdout, stderr } = await runExample('kFold/kFold.mjs', ['1'], folder);
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    const accuracies = [1, 2, 3, 4, 5].map((fold, i) => {
      const [, accuracy] = new RegExp(`^fold ${fold} of 5: (\\d+\\.\\d) % of 400 pictures$`).exec(lines[i]!)!;
      return Number(accuracy);
    });
    const [, mean] = /^mean (\d+\.\d) %, standard deviation \d+\.\d %$/.exec(lines[5]!)!;
    expect(Math.abs(Number(mean) - accuracies.reduce((sum, one) => sum + one / 5, 0))).toBeLessThan(0.11);
  },
  TIMEOUT_MS,
);

test(
  'transfer: a new head on ten classes, and a ninth class beside eight',
  async () => {
    const { code, stdout, stderr } = await runExample('transfer/transfer.mjs', ['1'], folder);
    expect(code, stderr).toBe(0);
    const accuracy = '\\d+\\.\\d %';
    const result = (epochs: number) => `${epochs} epochs in \\d+\\.\\d s, test accuracy ${accuracy}`;
    const lines = [
      `eight classes, all layers: ${result(1)}`,
      '2570 parameters of the new head are left to train',
      `ten classes, the head: ${result(60)}`,
      `a ninth class, not trained yet: ${accuracy}`,
      `nine classes, the head: ${result(60)}`,
    ];
    expect(stdout).toMatch(new RegExp(`^${lines.join('\n')}\n$`));
  },
  TIMEOUT_MS,
);
