import sharp from 'sharp';
import { afterEach, expect, test, vi } from 'vitest';
import { toPixels } from '../../src/classify/toPixels';
import { Turns } from '../../src/classify/turns';
import { MobilenetError } from '../../src/errors';
import { platform } from '../../src/platform/node';

const SIZE = { height: 8, width: 8, channels: 3 };
const decode = platform.decodeImage;

afterEach(() => void vi.restoreAllMocks());

test('so many at a time get their turn, in the order in which they asked', async () => {
  const turns = new Turns(2);
  const ends = [await turns.take(), await turns.take()];
  const third: string[] = [];
  const waiting = ['a', 'b'].map(async (name) => {
    const end = await turns.take();
    third.push(name);
    return end;
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(third).toEqual([]);
  ends[1]!();
  ends.push(await waiting[0]!);
  expect(third).toEqual(['a']);
  ends[0]!();
  ends[2]!();
  (await waiting[1]!)();
  expect(third).toEqual(['a', 'b']);
  // All of them are free again.
  await Promise.all([turns.take(), turns.take()]);
});

/** Reads this many pictures at once, and counts those that are there in their full size. */
async function readTogether(count: number, image: Uint8Array, signal?: AbortSignal) {
  let [now, most] = [0, 0];
  vi.spyOn(platform, 'decodeImage').mockImplementation(async (bytes, where) => {
    most = Math.max(most, ++now);
    return decode(bytes, where);
  });
  const reading = Array.from({ length: count }, () =>
    toPixels(image, SIZE, {}, { where: 'classify', signal }).finally(() => now--),
  );
  return { results: await Promise.allSettled(reading), most: () => most };
}

const png = () =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();

test('of many files that are read at once, one more is there in full size than there are processors', async () => {
  vi.spyOn(platform, 'processors').mockReturnValue(64);
  const { results, most } = await readTogether(100, await png());
  expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(most()).toBeGreaterThan(1);
  expect(most()).toBeLessThanOrEqual(9);
});

test('files that are broken and calls that are given up end their turns', async () => {
  const broken = await readTogether(30, Buffer.from('no picture'));
  expect(broken.results.map((result) => result.status === 'rejected' && result.reason)).toEqual(
    Array(30).fill(expect.any(MobilenetError)),
  );

  const stop = new AbortController();
  const image = await png();
  const givenUp = readTogether(30, image, stop.signal);
  stop.abort('given up');
  expect((await givenUp).results).toEqual(Array(30).fill({ status: 'rejected', reason: 'given up' }));

  const { results } = await readTogether(30, image);
  expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
});

test('thousands of files that are asked for at once are not all open at once', async () => {
  const image = await png();
  let [now, most] = [0, 0];
  vi.spyOn(platform, 'readFile').mockImplementation(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve));
    now--;
    return new Uint8Array(image);
  });
  const reading = Array.from({ length: 1000 }, (_, i) => toPixels(`${i}.png`, SIZE, {}, { where: 'classify' }));
  await Promise.all(reading);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(64);
});
