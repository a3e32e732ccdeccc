import { expect, test, vi } from 'vitest';
import { readImage } from '../../src/classify/readImage';

vi.mock('#platform', () => import('../../src/platform/browser'));

test.each([
  ['/cat.jpg', 'https://example.com/cat.jpg'],
  ['cat.jpg?v=2', 'https://example.com/app/cat.jpg?v=2'],
])('in a browser %s is an address from the page on', async (place, expected) => {
  const fetch = vi.fn(async () => new Response('no picture'));
  vi.stubGlobal('location', { href: 'https://example.com/app/page.html' });
  vi.stubGlobal('fetch', fetch);
  // What it got is decoded by browsers only.
  await expect(readImage(place, { where: 'classify', channels: 3 })).rejects.toThrow('createImageBitmap');
  expect(fetch.mock.calls).toEqual([[expected, {}]]);
  vi.unstubAllGlobals();
});
