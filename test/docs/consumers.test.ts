// What the guide shows of other people's builds is what the apps under test/consumers do.
import { expect, test } from 'vitest';
import { blocksOf, readPage } from './blocks';

const blocks = blocksOf(readPage('docs/guide/browser.md'));

function importMap(html: string): unknown {
  return JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(html)![1]!);
}

test('the import map of a page without a bundler', () => {
  const page = blocks.find(({ code }) => code.includes('importmap'))!;
  expect(importMap(page.code)).toEqual(importMap(readPage('test/consumers/noBundler/index.html')));
});

test("the packages that Next.js leaves to Node's resolution, and its headers", async () => {
  const block = blocks.find(({ info }) => info.includes('next.config.mjs'))!;
  const shown = await import(`data:text/javascript,${encodeURIComponent(block.code)}`);
  const used = await import('../consumers/next/next.config.mjs');
  expect(shown.default.serverExternalPackages).toEqual(used.default.serverExternalPackages);
  expect(await shown.default.headers()).toEqual(await used.default.headers());
});
