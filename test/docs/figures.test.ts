// Pages tell what the library has, and of the trained model that comes with it what was measured.
import { expect, test } from 'vitest';
import * as cifar10 from '../../src/cifar10';
import * as library from '../../src/index';
import { readPage } from './blocks';

const [best] = cifar10.cifar10Models;

const pages = ['README.md', 'README.zh.md', 'docs/guide/quickStart.md', 'docs/zh/quickStart.md'];
const alsoWithoutItsSize = ['docs/guide/tutorial.md', 'docs/zh/tutorial.md', 'docs/guide/training.md'];

test.each([...pages, ...alsoWithoutItsSize])('the accuracy in %s', (page) => {
  expect(readPage(page)).toContain(`${(100 * best!.accuracy).toFixed(1)} %`);
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
