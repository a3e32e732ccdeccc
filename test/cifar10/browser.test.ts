// As in a browser: everything is fetched, from where the script lies or from an address. The real ones are in
// test/package/viteApp.test.ts.
import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadCifar10Model } from '../../src/cifar10';

vi.mock('#platform', () => import('../../src/platform/browser'));

const folder = fileURLToPath(new URL('../../models/cifar10', import.meta.url));
const script = new URL('../../src/cifar10.ts', import.meta.url);

/** Serves the models, and remembers what was asked for. */
function serve(page?: string) {
  const requests: string[] = [];
  const fetch = async (address: RequestInfo | URL) => {
    requests.push(String(address));
    const [, file] = /cifar10\/(alpha-[^/]+\/[\w.]+)$/.exec(new URL(String(address)).pathname) ?? [];
    return new Response(page ?? (file ? new Uint8Array(readFileSync(`${folder}/${file}`)) : null));
  };
  return { requests, fetch };
}

beforeAll(() => setBackend('cpu').then(() => {}));
beforeEach(() => void vi.stubGlobal('location', { href: 'https://app.example/shop/cart.html?item=1' }));
afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['beside the script', undefined, new URL('cifar10', script).href],
  ['at an address', 'https://files.example/cifar10/', 'https://files.example/cifar10'],
  ['at a path of the page', '/static/cifar10', 'https://app.example/static/cifar10'],
])('files %s', async (_name, url, base) => {
  const { requests, fetch } = serve();
  (await loadCifar10Model({ fetch, ...(url !== undefined && { url }) })).dispose();
  expect(requests).toEqual([`${base}/alpha-0.25/model.json`, `${base}/alpha-0.25/weights.bin`]);
});

test('a query, such as a token, goes behind the path', async () => {
  const { requests, fetch } = serve();
  (await loadCifar10Model({ fetch, url: 'https://files.example/cifar10?token=1' })).dispose();
  expect(requests[0]).toBe('https://files.example/cifar10/alpha-0.25/model.json?token=1');
});

test('where a page comes in place of the files, the message says what to do', async () => {
  const { fetch } = serve('<!doctype html>');
  const loading = loadCifar10Model({ fetch });
  await expect(loading).rejects.toMatchObject({
    code: 'invalid-data',
    message: expect.stringContaining('pass its address as url'),
  });
});

test('refuses what is no address', async () => {
  vi.unstubAllGlobals();
  await expect(loadCifar10Model({ url: 'models' })).rejects.toMatchObject({ code: 'invalid-argument' });
});
