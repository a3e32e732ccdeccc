// Where a script of the CommonJS build is, as an address: what takes the place of import.meta.url there.
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const source = readFileSync(new URL('../../scripts/moduleUrl.mjs', import.meta.url), 'utf8');
const urlOf = (path: string): string =>
  new Function('__filename', `${source.replace('export const moduleUrl =', 'return')}`)(path);

test.each([
  ['/app/node_modules/mobilenet-v1-ts/dist/cifar10.cjs', 'file:///app/node_modules/mobilenet-v1-ts/dist/cifar10.cjs'],
  ['/100%/a#b/ü c?.cjs', 'file:///100%25/a%23b/%C3%BC%20c%3F.cjs'],
  ['C:\\app\\my models\\a.cjs', 'file:///C:/app/my%20models/a.cjs'],
  ['\\\\server\\share\\a.cjs', 'file://server/share/a.cjs'],
])('%s', (path, url) => {
  expect(urlOf(path)).toBe(url);
});

test('is the path again, as Node has it', () => {
  const path = fileURLToPath(import.meta.url);
  expect(urlOf(path)).toBe(pathToFileURL(path).href);
});
