import '@tensorflow/tfjs-backend-cpu';
import * as fs from 'node:fs/promises';
import { setBackend } from '@tensorflow/tfjs-core';
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import type { TrainClassifierOptions } from '../../src/index';
import { smoothPng, writeTree } from '../data/imageFolderFixture';
import { why } from './chromium';
import { startTrainingBrowser, type TrainingBrowser } from './trainingBrowser';
import { trainOnFolder } from './trainingModel';
import type { TrainingPage } from './trainingPage';

type Method = keyof TrainingPage;

/** Calls one of the page's jobs. */
function call<M extends Method>(
  page: Page,
  method: M,
  ...args: Parameters<TrainingPage[M]>
): Promise<Awaited<ReturnType<TrainingPage[M]>>> {
  const job = ([name, values]: [Method, unknown[]]) =>
    (window as unknown as { training: Record<Method, (...a: unknown[]) => unknown> }).training[name](...values);
  return page.evaluate(job as never, [method, args] as never) as never;
}

/** Largest absolute difference. */
const difference = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.skipIf(!chromiumPath)(`training in headless Chromium${why}`, () => {
  let browser: TrainingBrowser;
  let plain: Page;
  let isolated: Page;

  beforeAll(async () => {
    browser = await startTrainingBrowser();
    const user = await browser.newUser();
    plain = await browser.open(user, 'plain');
    isolated = await browser.open(user, 'isolated');
  });
  afterAll(() => browser?.close());

  test.each([
    ['fused', 'plain', 1],
    ['fused', 'isolated', 2],
    ['tfjs', 'plain', 1],
  ] as const)(
    '%s on a page that is %s (threads: %i): closed, and reloaded within a checkpoint, it ends with the same bits',
    async (engine, kind, threads) => {
      const user = await browser.newUser();
      let page = await browser.open(user, kind);
      const whole = await call(page, 'run', engine);
      expect(whole).toMatchObject({ engine, threads, first: 1, last: 15 });

      const dir = 'trainings/run';
      expect(await call(page, 'run', engine, { dir, hold: { step: 4, where: 'after' } })).toEqual({
        first: 1,
        last: 4,
      });
      await page.close();

      page = await browser.open(user, kind);
      const hold = { step: 6, where: 'within the checkpoint' } as const;
      expect(await call(page, 'run', engine, { dir, resume: true, hold })).toEqual({ first: 4, last: 6 });
      await page.reload();
      await page.waitForFunction('window.training !== undefined');
      expect(await call(page, 'names', dir)).toEqual(['step-00000003', 'step-00000006', 'step-00000006.tmp']);

      const resumed = await call(page, 'run', engine, { dir, resume: true });
      expect(resumed).toMatchObject({ first: 4, last: 15, digest: whole.digest });
      expect(resumed.resumedFrom).toEqual({ path: `${dir}/step-00000003`, step: 3, difference: undefined });
      expect((await call(page, 'names', dir)).filter((name) => !name.startsWith('step-000000'))).toEqual([]);
      await user.close();
    },
  );

  describe.each([
    ['webgl', false],
    ['webgpu', true],
  ] as const)('%s, through tfjs', (backend, needsAdapter) => {
    test.for<[string, TrainClassifierOptions]>([
      ['adamw', { optimizer: 'adamw', learningRate: 0.01, clipNorm: 0.5, emaDecay: 0.9 }],
      ['momentum', { optimizer: 'momentum', learningRate: 0.05, accumulateSteps: 2, weightDecay: 0.1 }],
      [
        'rmsprop',
        {
          optimizer: { name: 'rmsprop', momentum: 0.5 },
          clipNorm: 1,
          emaDecay: 0.9,
          accumulateSteps: 2,
          labelSmoothing: 0.1,
        },
      ],
    ])('%s gives the losses of cpu within 1e-3, and leaves no tensor', async ([, options], { skip }) => {
      if (needsAdapter && !(await call(plain, 'hasWebgpu'))) skip('no WebGPU adapter is offered here');
      const expected = await call(plain, 'trainOn', 'cpu', options);
      const actual = await call(plain, 'trainOn', backend, options);
      expect(actual).toMatchObject({ backend, left: 0 });
      // Six batches, and the validation.
      expect(actual.losses).toHaveLength(7);
      expect(difference(actual.losses, expected.losses)).toBeLessThan(1e-3);
      expect(difference(expected.losses.slice(1), expected.losses)).toBeGreaterThan(1e-2);
    });
  });

  test.each(['fused', 'tfjs'] as const)(
    '%s: buttons pause, resume and stop it, as the page stays alive',
    async (engine) => {
      const page = isolated;
      await page.bringToFront();
      await call(page, 'start', engine);
      await expect.poll(async () => (await call(page, 'look', 1)).steps).toBeGreaterThan(3);

      await page.getByText('pause').click();
      const paused = await call(page, 'look', 0);
      const later = await call(page, 'look', 20);
      expect(later).toMatchObject({ paused: true, ended: '' });
      // The batch that was under way.
      expect(later.steps - paused.steps).toBeLessThanOrEqual(1);

      await page.getByText('resume').click();
      await expect.poll(async () => (await call(page, 'look', 1)).steps).toBeGreaterThan(later.steps + 3);
      await page.getByText('stop').click();
      await expect.poll(async () => (await call(page, 'look', 1)).ended).toBe('AbortError');
    },
  );

  test.each(['plain', 'isolated'] as const)(
    'the report opens in a frame of a page that is %s, and by itself',
    async (kind) => {
      const page = kind === 'plain' ? plain : isolated;
      const address = await call(page, 'showReport');
      const check = async (report: Frame | Page) => {
        expect(await report.locator('h1').textContent()).toBe('Trained in a browser');
        expect(await report.locator('.uplot').count()).toBe(4);
        expect(await report.locator('canvas[data-pixels]').count()).toBeGreaterThanOrEqual(5);
        expect(await report.evaluate(paintedCanvases)).toBeGreaterThanOrEqual(5);
      };
      await check(page.frames().find((frame) => frame.url() === address)!);
      const [opened] = await Promise.all([
        page.context().waitForEvent('page'),
        page.evaluate((url) => void window.open(url), address),
      ]);
      await opened.waitForLoadState();
      await check(opened);
      await opened.close();
    },
  );

  test.each(['fused', 'tfjs'] as const)(
    '%s learns from chosen files, augmented, as in Node: losses within 1e-4',
    async (engine) => {
      const kinds = ['cats', 'dogs', 'owls'];
      const files = Array.from(
        { length: 12 },
        (_, i) => [`${kinds[i % 3]}/${i}.png`, smoothPng(20 + i, 17, i)] as const,
      );
      const root = await writeTree(Object.fromEntries(files));
      try {
        await setBackend('cpu');
        const inNode = await trainOnFolder(root, { engine });
        // Chromium gives no files to a page in the background.
        await plain.bringToFront();
        await call(plain, 'askForFolder');
        await plain.setInputFiles('input', root);
        const inBrowser = await call(plain, 'trainOnChosen', { engine });
        expect(inBrowser).toHaveLength(9);
        expect(difference(inBrowser, inNode)).toBeLessThan(1e-4);
        expect(difference(inNode.slice(1), inNode)).toBeGreaterThan(1e-2);
      } finally {
        await fs.rm(root, { recursive: true });
      }
    },
  );

  test('a report in a folder is refused before anything is trained, as a page has none', async () => {
    const { moved, code, message } = await call(plain, 'trainWithReportDir');
    expect(moved).toBe(false);
    expect(code).toBe('invalid-argument');
    expect(message).toMatch(/trainingReportHtml/);
  });

  test('no page has complained', () => {
    expect(browser.complaints).toEqual([]);
  });
});

/** How many canvases for pictures show anything but nothing. */
const paintedCanvases = () =>
  [...document.querySelectorAll<HTMLCanvasElement>('canvas[data-pixels]')].filter((canvas) =>
    canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.some((byte) => byte > 0),
  ).length;
