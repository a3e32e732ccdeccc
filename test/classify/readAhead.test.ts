import { expect, test } from 'vitest';
import { readAhead } from '../../src/classify/readAhead';

const pixels = { data: new Uint8Array(3), images: 1 };
const picture = { data: new Uint8Array(3), width: 1, height: 1 };

test('pictures come in chunks of 32, and then nothing', async () => {
  const { next } = readAhead(Array(40).fill(picture), async () => pixels);
  expect([(await next())?.images, (await next())?.images, await next()]).toEqual([32, 8, undefined]);
});

test('where the list itself fails, pictures that fail too are nobody\u2019s unhandled rejections', async () => {
  const reason = new Error('no more');
  function* list() {
    yield picture;
    throw reason;
  }
  // Vitest fails where a rejection is not handled.
  const { next } = readAhead(list(), () => Promise.reject(new Error('broken')));
  await expect(next()).rejects.toBe(reason);
  await new Promise((resolve) => setTimeout(resolve, 10));
});

/** Pictures without end, or so many; `returned` counts how often it is told that no more are wanted. */
function counting(pictures = Number.POSITIVE_INFINITY) {
  const list = {
    returned: 0,
    [Symbol.iterator]: () => ({
      next: () =>
        pictures-- > 0 ? { done: false as const, value: picture } : { done: true as const, value: undefined },
      return() {
        list.returned++;
        return { done: true as const, value: undefined };
      },
    }),
  };
  return list;
}

test('where a picture fails, the list is told that no more are wanted', async () => {
  const list = counting();
  await expect(readAhead(list, () => Promise.reject(new Error('broken'))).next()).rejects.toThrow('broken');
  expect(list.returned).toBe(1);
});

test('so it is, once, where the caller wants no more; and there are none then', async () => {
  const list = counting();
  const { next, close } = readAhead(list, async () => pixels);
  await next();
  close();
  close();
  expect(list.returned).toBe(1);
  expect([(await next())?.images, await next()]).toEqual([32, undefined]);
});

test('a list that has ended is told nothing', async () => {
  const list = counting(1);
  const { next, close } = readAhead(list, async () => pixels);
  expect([(await next())?.images, await next()]).toEqual([1, undefined]);
  close();
  expect(list.returned).toBe(0);
});
