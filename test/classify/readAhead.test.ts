import { expect, test } from 'vitest';
import { readAhead } from '../../src/classify/readAhead';

const pixels = { data: new Uint8Array(3), images: 1 };
const picture = { data: new Uint8Array(3), width: 1, height: 1 };

test('pictures come in chunks of 32, and then nothing', async () => {
  const next = readAhead(Array(40).fill(picture), async () => pixels);
  expect([(await next())?.images, (await next())?.images, await next()]).toEqual([32, 8, undefined]);
});

test('where the list itself fails, pictures that fail too are nobody\u2019s unhandled rejections', async () => {
  const reason = new Error('no more');
  function* list() {
    yield picture;
    throw reason;
  }
  // Vitest fails where a rejection is not handled.
  const next = readAhead(list(), () => Promise.reject(new Error('broken')));
  await expect(next()).rejects.toBe(reason);
  await new Promise((resolve) => setTimeout(resolve, 10));
});

test('where a picture fails, the list is told that no more are wanted', async () => {
  let closed = false;
  function* list() {
    try {
      for (;;) yield picture;
    } finally {
      closed = true;
    }
  }
  await expect(readAhead(list(), () => Promise.reject(new Error('broken')))()).rejects.toThrow('broken');
  expect(closed).toBe(true);
});
