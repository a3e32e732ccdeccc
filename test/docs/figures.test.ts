// Pages tell what the library has, and of the trained model that comes with it what was measured.
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

test('every recipe is in the table of recipes', () => {
  const page = readPage('docs/guide/training.md');
  expect(Object.keys(library.recipes).filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** The last line of a log in docs/results. */
function testAccuracy(log: string): number {
  return JSON.parse(readPage(`docs/results/${log}.jsonl`).trim().split('\n').at(-1)!).testAccuracy;
}
