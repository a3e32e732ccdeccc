// Pages tell what the library has, and of the trained model that comes with it what was measured.
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import * as cifar10 from '../../src/cifar10';
import * as library from '../../src/index';
import { readPage } from './blocks';

const [best] = cifar10.cifar10Models;

test.each(['README.md', 'README.zh.md', 'docs/guide/tutorial.md', 'docs/zh/tutorial.md', 'docs/guide/training.md'])(
  'what the quick recipe reaches in twenty minutes, in %s',
  (page) => {
    expect(readPage(page)).toContain(percent(testAccuracy('quick-20min-seed1')));
  },
);

test('each row of the table of accuracies says what its log ends with', () => {
  const rows = readPage('docs/accuracy.md').match(/^\|.*\]\(results\/.*$/gm)!;
  expect(rows.length).toBeGreaterThan(8);
  for (const row of rows) {
    const cells = row.split(' | ');
    const log = /results\/([\w.-]+)\.jsonl/.exec(row)![1]!;
    const { testAccuracy, seed, accuracyWithFlip, accuracyWithFlipAndShift: sixViews } = summaryOf(log);
    const written = cells[4]!.match(/\d+\.\d(?= %)/g)!.map(Number);
    expect(Number(cells[3]), log).toBe(seed);
    // A half may have been rounded either way.
    [testAccuracy, accuracyWithFlip, sixViews].slice(0, written.length).forEach((fraction, i) => {
      expect(Math.abs(written[i]! - 100 * fraction), `${log}: ${written[i]} for ${fraction}`).toBeLessThan(0.0501);
    });
  }
});

const logs = { tutorial: 'tutorial-seed1', paper: 'paper-seed1', quick: 'quick-20min-seed1', best: 'best-seed1' };

test.each(Object.entries(logs))('what is said beside the recipe %s is what its log ends with', (recipe, log) => {
  const row = readPage('docs/guide/training.md').match(new RegExp(`^\\| \`${recipe}\` \\|.*$`, 'm'))![0];
  expect(row).toContain(percent(testAccuracy(log)));
  expect(readPage('src/train/recipes.ts')).toMatch(new RegExp(`Reache[sd] ${percent(testAccuracy(log))} of CIFAR-10`));
});

test("the table of the tutorial's recipe has the training that its log has, which came from another machine", () => {
  const table = [...readPage('docs/tutorialRecipe.md').matchAll(/^\| (\d+) \| ([\d.]+) \| ([\d.]+ %) \|/gm)];
  const epochs = linesOf('tutorial-seed1').filter(({ epoch }) => epoch !== undefined);
  expect(epochs.map((e) => [String(e.epoch), e.loss.toFixed(3), percent(e.accuracy)])).toEqual(
    table.map(([, ...cells]) => cells),
  );
});

const pages = ['README.md', 'README.zh.md', 'docs/guide/quickStart.md', 'docs/zh/quickStart.md'];

test.each([...pages, 'docs/guide/training.md'])('the accuracy of the model that comes along, in %s', (page) => {
  expect(readPage(page)).toContain(percent(best!.accuracy));
});

test.each(pages)('the size of its files in %s', (page) => {
  expect(readPage(page)).toContain(`${(best!.bytes / 1e6).toFixed(1)} MB`);
});

test('every function is for something that people want', () => {
  const page = readPage('docs/guide/functions.md');
  const names = Object.keys({ ...library, ...cifar10 });
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('the model that examples/scaling exports has the names that its configuration of Triton has', async () => {
  await setBackend('cpu');
  const model = library.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.05 });
  const names = [...readPage('examples/scaling/serve/triton/mobilenet/config.pbtxt').matchAll(/^ {4}name: "(.+)"$/gm)];
  expect(names.map(([, name]) => name)).toEqual([...model.inputNames, ...model.outputNames]);
  model.dispose();
});

test('every recipe is in the table of recipes', () => {
  const page = readPage('docs/guide/training.md');
  expect(Object.keys(library.recipes).filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

const testAccuracy = (log: string) => summaryOf(log).testAccuracy;

/** The last two lines of a log in docs/results. */
const summaryOf = (log: string) => Object.assign({}, ...linesOf(log).slice(-2));

function linesOf(log: string) {
  const lines = readPage(`docs/results/${log}.jsonl`).trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}
