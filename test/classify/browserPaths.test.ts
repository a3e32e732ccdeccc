import { expect, test, vi } from 'vitest';
import { readImage } from '../../src/classify/readImage';

vi.mock('#platform', () => import('../../src/platform/browser'));

test.each(['/cat.jpg', 'cat.jpg?v=2'])('in a browser %s is what the page fetches', async (place) => {
  const fetch = vi.fn(async () => new Response('no picture'));
  vi.stubGlobal('fetch', fetch);
  // What it got is decoded by browsers only.
  await expect(readImage(place, { where: 'classify', channels: 3 })).rejects.toThrow('createImageBitmap');
  expect(fetch.mock.calls).toEqual([[place, {}]]);
  vi.unstubAllGlobals();
});
