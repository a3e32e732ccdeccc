import '@tensorflow/tfjs-backend-cpu';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
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

  test.each([
    ['webgl', { optimizer: 'adamw', clipNorm: 0.5, emaDecay: 0.9 }],
    ['webgl', { optimizer: 'momentum', accumulateSteps: 2, weightDecay: 0.1 }],
    ['webgl', { optimizer: { name: 'rmsprop', momentum: 0.5 }, labelSmoothing: 0.1 }],
    ['webgpu', { optimizer: 'adamw', clipNorm: 0.5, emaDecay: 0.9 }],
  ] as [string, TrainClassifierOptions][])('%s steps as cpu does: %j, losses within 1e-3', async (backend, options) => {
    if (backend === 'webgpu' && !(await call(plain, 'hasWebgpu'))) return;
    const [expected, actual] = [
      await call(plain, 'trainOn', 'cpu', options),
      await call(plain, 'trainOn', backend, options),
    ];
    expect(actual.backend).toBe(backend);
    expect(actual.losses).toHaveLength(7);
    expect(difference(actual.losses, expected.losses)).toBeLessThan(1e-3);
    expect([expected.left, actual.left]).toEqual([0, 0]);
  });

  test.each(['fused', 'tfjs'] as const)(
    '%s: buttons pause, resume and stop it, and the page goes on drawing',
    async (engine) => {
      await call(isolated, 'start', engine);
      await isolated.waitForFunction('window.training.look(0).then(({ steps }) => steps > 3)');
      await isolated.getByText('pause').click();
      const held = await call(isolated, 'look', 10);
      expect(held.paused).toBe(true);
      expect((await call(isolated, 'look', 20)).steps - held.steps).toBeLessThanOrEqual(1);
      await isolated.getByText('resume').click();
      await isolated.waitForFunction(`window.training.look(0).then(({ steps }) => steps > ${held.steps + 3})`);
      await isolated.getByText('stop').click();
      await isolated.waitForFunction("window.training.look(0).then(({ ended }) => ended !== '')");
      expect((await call(isolated, 'look', 1)).ended).toBe('AbortError');
    },
  );

  test('a report made in the page is a page', async () => {
    const address = await call(plain, 'showReport');
    const frame = plain.frames().find((one) => one.url() === address) as Frame;
    await expect(frame.locator('h1').textContent()).resolves.toContain('Trained in a browser');
    await expect(frame.locator('canvas').count()).resolves.toBeGreaterThan(4);
  });

  test('pictures that people chose train as they do in Node: losses within 0.02', async () => {
    const pictures: Record<string, Uint8Array> = {};
    for (const [i, name] of ['dark', 'light'].entries()) {
      for (let k = 0; k < 5; k++) pictures[`chosen/${name}/${k}.png`] = smoothPng(20 + k, 24, 10 * k + i);
    }
    const folder = await writeTree(pictures);
    await plain.bringToFront();
    await call(plain, 'askForFolder');
    await plain.locator('input').setInputFiles(join(folder, 'chosen'));
    await setBackend('cpu');
    const options = { engine: 'tfjs' } as const;
    const expected = await trainOnFolder(join(folder, 'chosen'), options);
    const actual = await call(plain, 'trainOnChosen', options);
    expect(actual).toHaveLength(9);
    expect(difference(actual, expected)).toBeLessThan(0.02);
    await fs.rm(folder, { recursive: true });
  });

  test('a report in a folder is refused before anything is trained, as a page has none', async () => {
    const { moved, code, message } = await call(plain, 'trainWithReportDir');
    expect(moved).toBe(false);
    expect(code).toBe('invalid-argument');
    expect(message).toMatch(/trainingReportHtml/);
  });
});
