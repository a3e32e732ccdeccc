// The live page of examples/browser trains for ten minutes in a headless Chromium. It fails where its memory grows, where a
// frame takes too long, or where the page says that something went wrong.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { chromiumPath } from '../scripts/chromiumPath.mjs';
import { printRows } from './output.mjs';

/** Looks at the page's memory; the first third tells what the start took. */
const LOOKS = 12;

/** How much more the last third of the looks may hold than the second, in megabytes. */
const ALLOWED = { page: 5, process: 30 };

const LONGEST_FRAME_MS = 100;

const options = new Command()
  .description('Ten minutes of training in the live page.')
  .option('--minutes <number>', 'how long', Number, 10)
  .option('--alpha <number>', 'width of the network', '0.25')
  .option('--json', 'one object a line', false)
  .parse()
  .opts();

const outDir = mkdtempSync(join(tmpdir(), 'mobilenet-live-page-'));
const root = fileURLToPath(new URL('../examples/browser', import.meta.url));
const configFile = join(root, 'vite.config.ts');
await build({ configFile, logLevel: 'error', build: { outDir } });
const server = await preview({ configFile, root, logLevel: 'error', build: { outDir }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: chromiumPath,
  // The second lets the page measure its memory at once, instead of at the next garbage collection.
  args: ['--no-sandbox', '--enable-blink-features=ForceEagerMeasureMemory'],
});
try {
  await main();
} finally {
  await browser.close();
  await server.close();
  rmSync(outDir, { recursive: true });
}

async function main() {
  /** @type {string[]} */
  const faults = [];
  const page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(`The page threw ${error}.`));
  await page.goto(String(server.resolvedUrls?.local[0]));
  await page.locator('#model-facts').filter({ hasText: 'classes' }).waitFor();
  await page.getByRole('tab', { name: 'Train' }).click();
  await page.locator(`input[name=alpha][value="${options.alpha}"]`).check({ force: true });
  await page.getByLabel('Epochs', { exact: true }).fill('1000');
  await page.getByRole('button', { name: 'Start the training' }).click();
  await page.locator('#epochs-rows tr').first().waitFor({ state: 'attached' });
  await page.evaluate(watchFrames);

  const looks = await look(page);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('#run-status').filter({ hasText: 'Stopped' }).waitFor();
  report(looks, faults);
}

/** @typedef {{ seconds: number, epochs: number, page: number, process: number, longestFrameMs: number }} Look */

/** @param {import('playwright-core').Page} page */
async function look(page) {
  const begin = performance.now();
  /** @type {Look[]} */
  const looks = [];
  for (let i = 1; i <= LOOKS; i++) {
    await page.waitForTimeout((60_000 * options.minutes) / LOOKS);
    // Before the garbage collection that measuring asks for.
    const longestFrameMs = Math.round(await page.evaluate(longestFrame));
    looks.push({
      seconds: Math.round((performance.now() - begin) / 1000),
      epochs: await page.locator('#epochs-rows tr').count(),
      page: await page.evaluate(pageMegabytes),
      process: await rendererMegabytes(page),
      longestFrameMs,
    });
    await page.evaluate(longestFrame);
  }
  return looks;
}

/**
 * @param {Look[]} looks
 * @param {string[]} faults
 */
function report(looks, faults) {
  printRows(looks, {
    json: options.json,
    columns: {
      seconds: (row) => row.seconds,
      epochs: (row) => row.epochs,
      'page and workers, MB': (row) => row.page,
      'RSS, MB': (row) => row.process,
      'longest frame, ms': (row) => row.longestFrameMs,
    },
  });
  for (const what of /** @type {const} */ (['page', 'process'])) {
    // What is there at all times: a checkpoint under way takes some 20 MB and gives them back.
    const least = (/** @type {Look[]} */ some) => Math.min(...some.map((row) => row[what]));
    const growth = least(looks.slice((2 * LOOKS) / 3)) - least(looks.slice(LOOKS / 3, (2 * LOOKS) / 3));
    if (growth > ALLOWED[what]) faults.push(`The memory of the ${what} has grown by ${growth} MB in the last third.`);
  }
  const longest = Math.max(...looks.map((row) => row.longestFrameMs));
  if (longest > LONGEST_FRAME_MS) faults.push(`A frame took ${longest} ms, more than ${LONGEST_FRAME_MS}.`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

/**
 * Of the browser's processes for pages, as the system counts them, wasm memory and all threads included; after the page has
 * given back what it can do without.
 *
 * @param {import('playwright-core').Page} page
 */
async function rendererMegabytes(page) {
  const pressure = await page.context().newCDPSession(page);
  await pressure.send('HeapProfiler.collectGarbage');
  await pressure.send('Memory.simulatePressureNotification', { level: 'critical' });
  await pressure.detach();
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', pids.join(',')], { encoding: 'utf8' });
  const sum = kilobytes
    .trim()
    .split(/\s+/)
    .reduce((total, text) => total + Number(text), 0);
  return Math.round(sum / 1024);
}

// These three run in the page.

function watchFrames() {
  const frames = { longest: 0, last: performance.now() };
  Object.assign(window, { frames });
  const onFrame = (/** @type {number} */ time) => {
    frames.longest = Math.max(frames.longest, time - frames.last);
    frames.last = time;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
}

/** In milliseconds, since the call before. */
function longestFrame() {
  const { frames } = /** @type {{ frames: { longest: number, last: number } }} */ (/** @type {unknown} */ (window));
  // The frame that is late now counts too.
  const longest = Math.max(frames.longest, performance.now() - frames.last);
  Object.assign(frames, { longest: 0, last: performance.now() });
  return longest;
}

/** JavaScript and WebAssembly of the page and of its workers. */
async function pageMegabytes() {
  const { bytes } = await /** @type {any} */ (performance).measureUserAgentSpecificMemory();
  return Math.round(bytes / 2 ** 20);
}
