import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { platform } from '../../src/platform/node';
import { createProgress } from '../../src/train/progress';
import type { TrainingBatch, TrainingEpoch } from '../../src/train/trainingRecords';

const batch: TrainingBatch = {
  epoch: 2,
  batch: 30,
  batches: 391,
  step: 421,
  loss: 1.23456,
  accuracy: 0.5,
  learningRate: 0.1,
  imagesPerSecond: 812.4,
  progress: 0.25,
  secondsLeft: 3725,
};

const epoch: TrainingEpoch = {
  epoch: 2,
  loss: 1.2,
  accuracy: 0.55,
  valLoss: 1.5,
  valAccuracy: 0.456,
  learningRate: 0.1,
  imagesPerSecond: 812.4,
  seconds: 61,
};

const batchLine = 'epoch 2, batch 30 of 391: loss 1.235, accuracy 50.0 %, 812 images/s, 1:02:05 left\n';
const epochLine = 'epoch 2: loss 1.200, accuracy 55.0 %, validation loss 1.500, accuracy 45.6 %, 812 images/s\n';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.doUnmock('cli-progress');
  vi.resetModules();
});

/** A stream that keeps what is written. */
function makeStream(isTTY = false, columns = 120) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns });
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return { stream, text: () => text };
}

describe('lines', () => {
  test('one in ten seconds, and one an epoch', async () => {
    const { stream, text } = makeStream();
    const progress = createProgress({ stream });
    for (now = 0; now < 25_000; now += 1000) await progress.onBatch(batch);
    progress.onEpoch(epoch);
    progress.close();
    expect(text()).toBe(batchLine + batchLine + epochLine);
  });

  test('without a validation set, and with a time that is not known yet', async () => {
    const { stream, text } = makeStream();
    const progress = createProgress({ stream, kind: 'lines' });
    await progress.onBatch(batch);
    now = 10_000;
    await progress.onBatch({ ...batch, secondsLeft: Number.NaN });
    progress.onEpoch({ ...epoch, valLoss: undefined, valAccuracy: undefined });
    expect(text()).toMatch(/, \? left\nepoch 2: loss 1\.200, accuracy 55\.0 %, 812 images\/s\n$/);
  });

  test('a speed below ten has a digit behind the point', () => {
    const { stream, text } = makeStream();
    createProgress({ stream }).onEpoch({ ...epoch, imagesPerSecond: 0.34 });
    expect(text()).toContain(', 0.3 images/s\n');
  });

  test.each([
    [0.4, '0:00'],
    [65, '1:05'],
    [3600, '1:00:00'],
  ])('%s seconds left are %s', async (secondsLeft, shown) => {
    const { stream, text } = makeStream();
    const progress = createProgress({ stream });
    await progress.onBatch(batch);
    now = 10_000;
    await progress.onBatch({ ...batch, secondsLeft });
    expect(text()).toContain(`, ${shown} left\n`);
  });

  test("also in a terminal, where that is asked for; 'none' writes nothing", async () => {
    for (const [kind, expected] of [
      ['lines', epochLine],
      ['none', ''],
    ] as const) {
      const { stream, text } = makeStream(true);
      const progress = createProgress({ stream, kind });
      await progress.onBatch(batch);
      progress.onEpoch(epoch);
      progress.close();
      expect(text()).toBe(expected);
    }
  });

  test('a bar that is asked for where there is no terminal says why there is none', async () => {
    const { stream, text } = makeStream();
    await createProgress({ stream, kind: 'bar' }).onBatch(batch);
    expect(text()).toBe('Lines in place of a progress bar: the output is no terminal.\n');
  });

  test('go to standard error, where no stream is given', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    createProgress({ kind: 'lines' }).onEpoch(epoch);
    expect(write.mock.calls).toEqual([[epochLine]]);
    expect(platform.messages).toBe(process.stderr);
  });
});

describe('the bar in a terminal', () => {
  test('shows numbers, makes way for the line of an epoch, and comes back', async () => {
    const { stream, text } = makeStream(true);
    const progress = createProgress({ stream });
    await progress.onBatch(batch);
    expect(text()).toContain(' 25%, 1:02:05 left, epoch 2, loss 1.235, accuracy 50.0 %, 812 images/s');
    progress.onEpoch(epoch);
    expect(text().endsWith(epochLine)).toBe(true);
    await progress.onBatch({ ...batch, epoch: 3, progress: 0.5 });
    expect(text()).toContain(' 50%, 1:02:05 left, epoch 3, ');
    progress.close();
    progress.close();
  });

  test('is whole in 80 columns', async () => {
    const { stream, text } = makeStream(true, 80);
    await createProgress({ stream }).onBatch({ ...batch, epoch: 12 });
    expect(text()).toMatch(/%, 1:02:05 left, epoch 12, loss 1\.235, accuracy 50\.0 %, 812 images\/s/);
  });

  test('switches nothing off in the terminal that a process which Ctrl-C ends would leave off', async () => {
    const { stream, text } = makeStream(true);
    const progress = createProgress({ stream });
    await progress.onBatch(batch);
    progress.onEpoch(epoch);
    await progress.onBatch(batch);
    progress.close();
    // Neither the cursor (25) nor the wrapping of lines (7).
    expect(text()).not.toContain('\u001b[?');
  });

  test('is a matter of lines without cli-progress', async () => {
    vi.resetModules();
    vi.doMock('cli-progress', () => {
      throw new Error('Cannot find package');
    });
    const fresh = await import('../../src/train/progress');
    const [quiet, told] = [makeStream(true), makeStream(true)];
    await fresh.createProgress({ stream: quiet.stream }).onBatch(batch);
    await fresh.createProgress({ stream: told.stream, kind: 'bar' }).onBatch(batch);
    expect(quiet.text()).toBe('');
    expect(told.text()).toBe(
      'Lines in place of a progress bar: cli-progress is not installed: run npm install cli-progress.\n',
    );
  });
});

test('nothing is written before the first batch, and closing is harmless', () => {
  const { stream, text } = makeStream(true);
  createProgress({ stream }).close();
  expect(text()).toBe('');
});

test('another kind is refused', () => {
  expect(() => createProgress({ kind: 'loud' as 'auto' })).toThrow(/kind to be 'auto', 'bar', 'lines' or 'none'/);
});
