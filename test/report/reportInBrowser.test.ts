import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { trainingReportHtml } from '../../src/report/trainingReportHtml';
import { why } from '../browser/chromium';
import { makePicture, makeReport } from './reports';

describe.skipIf(!chromiumPath)(`report.html in Chromium${why}`, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mobilenet-report-page-'));
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** The page from its file, as users open it, and what it complains of or asks for. */
  async function open(html: string, options: BrowserContextOptions = {}) {
    const file = join(folder, 'report.html');
    writeFileSync(file, html);
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const noise: string[] = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(String(error)));
    page.on('dialog', (dialog) => {
      noise.push(dialog.message());
      void dialog.dismiss();
    });
    const ask = (request: Request) => /^(file|data):/.test(request.url()) || noise.push(request.url());
    page.on('requestfinished', ask);
    // What the page's policy stops has asked for nothing.
    page.on('requestfailed', (request) => request.failure()?.errorText === 'csp' || ask(request));
    await page.goto(pathToFileURL(file).href);
    return { page, noise, close: () => context.close() };
  }

  test('paints the pixels, draws four charts, is silent and asks for nothing', async () => {
    const { page, noise, close } = await open(await trainingReportHtml(makeReport()));
    const pixels = await page.$$eval('canvas[data-pixels]', (canvases) =>
      (canvases as HTMLCanvasElement[]).map((canvas) => [
        ...canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data,
      ]),
    );
    const opaque = (seed: number) =>
      [...makePicture(seed).data].flatMap((byte, i) => (i % 3 === 2 ? [byte, 255] : [byte]));
    expect(pixels).toEqual([0, 1, 2, 7].map(opaque));
    const legends = await page.locator('.u-legend').allInnerTexts();
    expect(legends.map((text) => text.replace(/\s/g, ''))).toEqual([
      'Epochs2Batches0.1Training0.5Validation0.55',
      'Epochs2Batches95.24%Training66.67%Validation60%',
      'Epochs2Learningrate0.1',
      'Epochs2Pictures/s820',
    ]);
    expect(noise).toEqual([]);
    await close();
  });

  test('shows fifteen samples in three rows of five, each with its label', async () => {
    const samples = Array.from({ length: 15 }, (_, i) => ({ ...makePicture(i), label: i % 3 }));
    const { page, close } = await open(await trainingReportHtml(makeReport(1, { samples })));
    const figures = page.locator('.pictures.samples figure');
    const boxes = await Promise.all((await figures.all()).map((figure) => figure.boundingBox()));
    const tops = boxes.map((box) => Math.round(box!.y));
    expect([...new Set(tops)].map((top) => tops.filter((one) => one === top).length)).toEqual([5, 5, 5]);
    const { classNames } = makeReport(1);
    expect(await figures.allInnerTexts()).toEqual(
      samples.map(({ label }) => expect.stringContaining(classNames[label]!)),
    );
    await close();
  });

  test('under the pointer, legends show the nearest point of each line', async () => {
    const { page, close } = await open(await trainingReportHtml(makeReport()));
    const box = (await page.locator('.u-over').first().boundingBox())!;
    await page
      .locator('.u-over')
      .first()
      .hover({ position: { x: box.width / 4, y: 50 } });
    await expect.poll(() => page.locator('.u-legend').first().textContent()).toMatch(/0\.5[\s\S]*Batches[\s\S]*0\.4/);
    await close();
  });

  test.each(['light', 'dark'] as const)('fits a telephone, %s', async (colorScheme) => {
    const { page, close } = await open(await trainingReportHtml(makeReport(3)), {
      colorScheme,
      viewport: { width: 390, height: 844 },
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const background = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(background).toBe(colorScheme === 'light' ? 'rgb(245, 246, 248)' : 'rgb(14, 19, 25)');
    await close();
  });

  test('is one page with 1 epoch and none, and with names that are markup', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    for (const report of [
      makeReport(1, { title: evil, classNames: [evil, evil, evil] }),
      makeReport(1, { steps: [] }),
      makeReport(0, { evaluation: undefined, mistakes: undefined }),
    ]) {
      const { page, noise, close } = await open(await trainingReportHtml(report));
      expect(await page.locator('.uplot').count()).toBe(report.epochs.length === 0 ? 0 : 4);
      expect(await page.locator('h1').textContent()).toBe(report.title);
      expect(noise).toEqual([]);
      await close();
    }
  });

  test('runs no script but its own', async () => {
    const page = await trainingReportHtml(makeReport());
    const spoilt = page.replace('<main>', '<main><script>alert(1)</script><img src="https://example.com/x.png">');
    const { noise, close } = await open(spoilt);
    expect(noise.filter((text) => !text.includes('Content Security Policy'))).toEqual([]);
    expect(noise.length).toBeGreaterThan(0);
    await close();
  });

  test('says that a running training has been silent for minutes', async () => {
    const status = { state: 'running', epoch: 1, step: 1, progress: 0.1, seconds: 1, secondsLeft: 9 } as const;
    for (const [time, isStale] of [
      [Date.now(), false],
      [Date.now() - 300_000, true],
    ] as const) {
      const { page, close } = await open(await trainingReportHtml(makeReport(1, { status, time })));
      expect(await page.locator('#stale').isVisible()).toBe(isStale);
      await close();
    }
  });

  test('without scripts the tables are there, and nothing is an empty box', async () => {
    const { page, close } = await open(await trainingReportHtml(makeReport()), { javaScriptEnabled: false });
    expect(await page.locator('.charts').isVisible()).toBe(false);
    expect(await page.locator('canvas').first().isVisible()).toBe(false);
    expect(await page.getByRole('table').count()).toBe(5);
    expect(await page.locator('noscript p').isVisible()).toBe(true);
    await close();
  });
});
