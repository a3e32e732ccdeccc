import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { writeTree } from '../data/imageFolderFixture';
import { why } from './chromium';
import { type LivePageBrowser, startLivePageBrowser } from './livePageBrowser';

const imagenet = fileURLToPath(new URL('../../../shared/imagenet/mobilenet_v1_0.25_224', import.meta.url));
const hasImagenet = readdirOrNone(imagenet).includes('model.json');

/** A picture file of one colour with a little noise, so that no two are alike. */
function pictureOf(
  [red, green, blue]: readonly number[],
  index: number,
): { name: string; mimeType: string; buffer: Buffer } {
  const png = new PNG({ width: 40, height: 40 });
  for (let i = 0; i < png.data.length; i += 4) {
    const noise = ((i * 31 + index * 977) % 60) - 30;
    png.data.set([red! + noise, green! + noise, blue! + noise, 255], i);
  }
  return { name: `${index}.png`, mimeType: 'image/png', buffer: PNG.sync.write(png) };
}

const RED = [200, 60, 60];
const BLUE = [60, 60, 200];
const picturesOf = (colour: readonly number[], count: number) =>
  Array.from({ length: count }, (_, i) => pictureOf(colour, i));

/** Opens a tab; what is in it. */
async function openTab(page: Page, name: 'Classify' | 'Train' | 'Teach'): Promise<Locator> {
  await page.getByRole('tab', { name }).click();
  return page.getByRole('tabpanel', { name });
}

/** Starts a training on drawn figures. */
async function startDrawn(page: Page, epochs: number): Promise<void> {
  await openTab(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill(String(epochs));
  await page.getByRole('button', { name: 'Start the training' }).click();
}

/** Waits for so many rows in the table of epochs. */
const epochsDone = (page: Page, count: number) =>
  page
    .locator('#epochs-rows tr')
    .nth(count - 1)
    .waitFor({ state: 'attached' });

const ended = (page: Page, text: string) => page.locator('#run-status').filter({ hasText: text }).waitFor();

/** The cells of the table of epochs. */
const epochRows = (page: Page) => page.locator('#epochs-rows tr').allTextContents();

/** The classes of the newest result, the most probable first. */
const newestResult = (page: Page) => page.locator('.result').first().locator('.bars li').allTextContents();

describe.skipIf(!chromiumPath)(`the live page in headless Chromium${why}`, { timeout: 240_000 }, () => {
  let browser: LivePageBrowser;
  const users: BrowserContext[] = [];
  const newUser = async (options?: Parameters<LivePageBrowser['newUser']>[0]) => {
    const user = await browser.newUser(options);
    users.push(user);
    return user;
  };

  beforeAll(async () => {
    browser = await startLivePageBrowser();
  }, 240_000);
  afterAll(() => browser?.close());

  test('classifies at once, and says what it cannot read', async () => {
    const page = await browser.open(await newUser());
    expect(await page.locator('#threads').textContent()).toMatch(/^\d threads$/);
    await page.getByRole('button', { name: 'Try airplane' }).click();
    await page.locator('.result').waitFor();
    expect(await newestResult(page)).toHaveLength(5);
    await page
      .locator('#classify-files')
      .setInputFiles([
        pictureOf(RED, 1),
        { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
      ]);
    await expect
      .poll(() => page.locator('.result').first().textContent())
      .toMatch(/^notes.png cannot be read as a picture/);
    expect(await page.locator('.result').count()).toBe(3);
  });

  test('trains in its worker while the page stays smooth; curves, samples and confusion matrix fill in', async ({
    annotate,
  }) => {
    const page = await browser.open(await newUser());
    const smoothness = await browser.watchSmoothness(page);
    await startDrawn(page, 2);
    await epochsDone(page, 1);
    expect(await page.locator('#matrix td.right').count()).toBeGreaterThan(0);
    await ended(page, 'Finished');
    const { longestFrameMs, longestTaskMs } = await smoothness();
    await annotate(
      `longest frame ${longestFrameMs.toFixed(0)} ms, longest task ${longestTaskMs.toFixed(1)} ms of processor time`,
    );
    // Frames wait for whatever else runs on this machine; what the page itself does between two of them must be short.
    expect(longestTaskMs).toBeGreaterThan(0);
    expect(longestTaskMs).toBeLessThan(100);

    expect(await page.locator('#run-title').textContent()).toBe('Drawn figures, alpha 0.25');
    expect(await page.locator('.chart canvas').evaluateAll(paintedCanvases)).toBe(3);
    const guesses = await page.locator('#samples .guess').allTextContents();
    expect(guesses).toHaveLength(15);
    for (const guess of guesses) expect(guess).toMatch(/^(right, \d+|taken for \w+)/);
    const cells = await page.locator('#matrix td:is(.right, .wrong)').allTextContents();
    expect(cells.reduce((sum, text) => sum + Number(text.replace('·', '0')), 0)).toBe(500);
    expect(await page.locator('#figure-speed').textContent()).toMatch(/^[\d,]+$/);

    // What it has learned classifies.
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByRole('button', { name: 'Draw a figure' }).click();
    await page.locator('.result .bars').waitFor();
    expect(await page.locator('#model-title').textContent()).toBe('Drawn figures');
  });

  test('a training is stopped, goes on, is closed with its tab, and goes on from its checkpoint', async () => {
    const user = await newUser();
    const first = await browser.open(user);
    await startDrawn(first, 4);
    await epochsDone(first, 1);
    await first.getByRole('button', { name: 'Stop' }).click();
    await ended(first, 'Stopped');
    const rows = await epochRows(first);
    await first.getByRole('button', { name: 'Go on' }).click();
    await epochsDone(first, rows.length + 1);
    expect((await epochRows(first)).slice(0, rows.length)).toEqual(rows);
    await first.close();

    const second = await browser.open(user);
    await openTab(second, 'Train');
    await expect
      .poll(() => second.locator('#saved-run-text').textContent())
      .toMatch(/^A training was interrupted .*: Drawn figures, alpha 0.25, [23] of 4 epochs done\./);
    await second.locator('#saved-run').getByRole('button', { name: 'Go on' }).click();
    await ended(second, 'Finished');
    const all = await epochRows(second);
    expect(all).toHaveLength(4);
    expect(all.slice(0, rows.length)).toEqual(rows);
    await second.reload();
    await openTab(second, 'Train');
    expect(await second.locator('#saved-run').isHidden()).toBe(true);
  });

  test('a tab leaves the training of another one alone', async () => {
    const user = await newUser();
    const first = await browser.open(user);
    await startDrawn(first, 20);
    await epochsDone(first, 1);
    const second = await browser.open(user);
    await openTab(second, 'Train');
    const offer = second.locator('#saved-run');
    const discard = offer.getByRole('button', { name: 'Discard it' });
    await offer.getByText(/^A training runs in another tab of this page\./).waitFor();
    expect(await discard.isVisible()).toBe(false);

    await first.getByRole('button', { name: 'Stop' }).click();
    await ended(first, 'Stopped');
    await offer.getByText(/^A training was interrupted/).waitFor();
    const rows = await epochRows(first);
    await first.getByRole('button', { name: 'Go on' }).click();
    await epochsDone(first, rows.length + 1);
    await discard.click();
    await offer.getByText(/^A training runs in another tab of this page\./).waitFor();
    expect(await second.locator('#train-notice').textContent()).toMatch(/^Another tab of this page is training\./);

    await first.getByRole('button', { name: 'Stop' }).click();
    await ended(first, 'Stopped');
    await discard.click();
    await offer.waitFor({ state: 'hidden' });
    expect(await second.locator('#train-notice').textContent()).toBe('');
  });

  test('learns from own pictures without those that are broken; its model goes out as a file and comes back', async () => {
    const page = await browser.open(await newUser());
    const train = await openTab(page, 'Train');
    await train.getByLabel('Your own').check();
    await page.getByLabel('Size of the pictures').selectOption('32');
    const [red, blue] = [train.locator('.class-card').nth(0), train.locator('.class-card').nth(1)];
    const start = page.getByRole('button', { name: 'Start the training' });
    await start.click();
    expect(await red.locator('.notice').textContent()).toBe('Give this class a name.');
    await red.getByLabel('Name of the class').fill('red, "warm"');
    await blue.getByLabel('Name of the class').fill('blue');
    await start.click();
    expect(await red.locator('.notice').textContent()).toBe('This class needs 5 pictures or more.');
    const broken = { name: 'torn.png', mimeType: 'image/png', buffer: pictureOf(RED, 0).buffer.subarray(0, 30) };
    await red.locator('input[type=file]').setInputFiles([...picturesOf(RED, 12), broken]);
    await blue.locator('input[type=file]').setInputFiles(picturesOf(BLUE, 12));
    await red.getByText('12 pictures').waitFor();
    expect(await red.locator('.notice').textContent()).toBe('one picture could not be read and is left out: torn.png.');
    await blue.getByText('12 pictures').waitFor();
    expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('40');
    await start.click();
    await ended(page, 'Finished');
    await page.getByRole('button', { name: 'Try it' }).click();
    const classify = async () => {
      await page.locator('.result').evaluateAll((results) => results.forEach((result) => void result.remove()));
      await page.locator('#classify-files').setInputFiles([pictureOf(RED, 20), pictureOf(BLUE, 21)]);
      await expect.poll(() => page.locator('.result .bars').count()).toBe(2);
      return page.locator('.result .bars').allTextContents();
    };
    const before = await classify();
    expect(before[0]).toMatch(/^blue/);
    expect(before[1]).toMatch(/^red, "warm"/);

    await page.locator('#model summary').click();
    const download = async (button: string) => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: button }).click(),
      ]);
      return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
    };
    const zip = await download('Download for tfjs');
    const onnx = await download('Download as ONNX');
    const keras = await download('Download for Keras');
    expect([zip.name, onnx.name, keras.name]).toEqual([
      'red-warm-blue.zip',
      'red-warm-blue.onnx',
      'red-warm-blue.keras',
    ]);
    expect(onnx.bytes.includes('conv_pw_13')).toBe(true);
    expect(keras.bytes.subarray(0, 2).toString()).toBe('PK');

    await page.getByRole('button', { name: 'CIFAR-10, ten classes' }).click();
    await page.locator('#model-title').filter({ hasText: 'CIFAR-10' }).waitFor();
    expect(await classify()).not.toEqual(before);
    const load = page.locator('#model-files');
    await load.setInputFiles({
      name: 'not-a-model.zip',
      mimeType: 'application/zip',
      buffer: Buffer.from('PK no zip'),
    });
    await expect.poll(() => page.locator('#model-notice').textContent()).toMatch(/^not-a-model.zip is no zip/);
    await load.setInputFiles({ name: zip.name, mimeType: 'application/zip', buffer: zip.bytes });
    await page.locator('#model-title').filter({ hasText: 'red, "warm", blue' }).waitFor();
    expect(await classify()).toEqual(before);
    // And it is there on the next visit.
    await page.reload();
    await page.locator('#model-title').filter({ hasText: 'red, "warm", blue' }).waitFor();
  });

  test('takes a folder with a sub-folder for each class', async () => {
    const folder = await writeTree({
      'pets/cats/1.png': pictureOf(RED, 1).buffer,
      'pets/cats/2.png': pictureOf(RED, 2).buffer,
      'pets/dogs/old/1.png': pictureOf(BLUE, 1).buffer,
      'pets/dogs/notes.txt': 'no picture',
      'pets/.hidden/1.png': 'no picture',
    });
    const page = await browser.open(await newUser());
    const train = await openTab(page, 'Train');
    await train.getByLabel('Your own').check();
    await page.locator('#own-folder').setInputFiles(join(folder, 'pets'));
    const cards = train.locator('.class-card');
    await expect.poll(() => cards.locator('.muted').allTextContents()).toEqual(['2 pictures', 'one picture']);
    const names = cards.getByLabel('Name of the class');
    expect(await names.evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value))).toEqual([
      'cats',
      'dogs',
    ]);
    await rm(folder, { recursive: true });
  });

  test('learns a new class from the camera within a minute, and keeps the ten that it knows', async () => {
    const page = await browser.open(await newUser());
    const teach = await openTab(page, 'Teach');
    await teach.getByLabel('Name of the class').fill('green cake');
    await teach.getByRole('button', { name: 'Take 20 pictures' }).click();
    await teach.locator('.class-card').getByText('20 pictures', { exact: true }).waitFor();
    const start = performance.now();
    await page.getByRole('button', { name: 'Teach it' }).click();
    await page.locator('#teach-notice[data-tone=good]').waitFor();
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(await page.locator('#model-facts').textContent()).toMatch(/^11 classes/);
    await page.getByRole('button', { name: 'Try it with the camera' }).click();
    const best = page.locator('#classify-live .bars li').first();
    await expect.poll(() => best.textContent()).toMatch(/^green cake/);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    // Twenty pictures have not made it forget: emoji that it knew before.
    for (const name of ['dog', 'truck']) await page.getByRole('button', { name: `Try ${name}` }).click();
    await expect.poll(() => page.locator('.result .bars').count()).toBe(2);
    const seen = await page.locator('.result .bars li:first-child .name').allTextContents();
    for (const className of seen) expect(className).not.toBe('green cake');
  });

  test('a camera that was stopped does not run on, nor does one that cannot be shown', async () => {
    const page = await browser.open(await newUser());
    await page.evaluate(watchCamera);
    const running = () => page.evaluate(() => (window as unknown as WatchedCamera).running());
    const use = page.getByRole('button', { name: 'Use the camera' });
    const stop = page.getByRole('button', { name: 'Stop the camera' });
    await use.click();
    await stop.click();
    await use.click();
    await page.evaluate(() => (window as unknown as WatchedCamera).allow());
    await page.locator('#classify-live .bars li').first().waitFor();
    expect(await running()).toBe(1);
    expect(await page.locator('#classify-video').isVisible()).toBe(true);
    await stop.click();
    expect(await running()).toBe(0);

    await page.evaluate(() => {
      HTMLMediaElement.prototype.play = () => Promise.reject(new Error('It cannot be shown.'));
    });
    await use.click();
    await expect.poll(() => page.locator('#classify-notice').textContent()).toBe('It cannot be shown.');
    expect(await running()).toBe(0);
  });

  test.skipIf(!hasImagenet)(
    `learns two classes on ImageNet's weights${hasImagenet ? '' : ' (skipped: no ../shared/imagenet)'}`,
    async () => {
      const user = await newUser({ serviceWorkers: 'block' });
      await user.route('https://storage.googleapis.com/**', (route) => {
        const name = new URL(route.request().url()).pathname.split('/').at(-1)!;
        return route.fulfill({ path: join(imagenet, name), headers: { 'Access-Control-Allow-Origin': '*' } });
      });
      const page = await browser.open(user);
      const teach = await openTab(page, 'Teach');
      await teach.getByLabel('ImageNet').check();
      expect(await page.getByLabel('Keep the classes that it knows').isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Teach it' }).click();
      expect(await page.locator('#teach-notice').textContent()).toMatch(/^Add a second class/);
      await page.getByRole('button', { name: 'Add another class' }).click();
      for (const [i, colour] of [RED, BLUE].entries()) {
        const card = teach.locator('.class-card').nth(i);
        await card.getByLabel('Name of the class').fill(['red', 'blue'][i]!);
        await card.locator('input[type=file]').setInputFiles(picturesOf(colour, 20));
        await card.getByText('20 pictures', { exact: true }).waitFor();
      }
      await page.getByRole('button', { name: 'Teach it' }).click();
      await page.locator('#teach-notice[data-tone=good]').waitFor();
      await openTab(page, 'Classify');
      await page.locator('#classify-files').setInputFiles([pictureOf(RED, 30)]);
      await page.locator('.result .bars').waitFor();
      expect((await newestResult(page))[0]).toMatch(/^red/);
    },
  );

  test('says in place that there is no camera, no network, no room', async () => {
    const user = await newUser({ serviceWorkers: 'block' });
    await user.route(/^https:/, (route) => route.abort());
    const page = await browser.open(user);
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));
    });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect
      .poll(() => page.locator('#classify-notice').textContent())
      .toMatch(/does not let this page use the camera/);
    expect(await page.getByRole('button', { name: 'Use the camera' }).getAttribute('aria-pressed')).toBe('false');

    const train = await openTab(page, 'Train');
    await train.getByLabel('CIFAR-10').check();
    await page.getByRole('button', { name: 'Start the training' }).click();
    await expect
      .poll(() => page.locator('#run-notice').textContent())
      .toMatch(/cs\.toronto\.edu.* and choose the archive here/);
    await page.getByRole('button', { name: 'New training' }).click();

    const devtools = await user.newCDPSession(page);
    const origin = new URL(page.url()).origin;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20_000 });
    await page.getByLabel('Drawn figures').check();
    await startDrawn(page, 3);
    await expect
      .poll(() => page.locator('#run-notice').textContent(), { timeout: 60_000 })
      .toMatch(/untick “Keep it on this device”/);
    await page.getByRole('button', { name: 'New training' }).click();
    await page.getByLabel('Keep it on this device').uncheck();
    await startDrawn(page, 1);
    await ended(page, 'Finished');
  });

  test('is worked by the keyboard alone', async () => {
    const page = await browser.open(await newUser());
    const focused = () => page.evaluate(() => document.activeElement!.id || document.activeElement!.textContent);
    const tabTo = async (id: string) => {
      for (let presses = 0; presses < 40 && (await focused()) !== id; presses++) await page.keyboard.press('Tab');
      expect(await focused()).toBe(id);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await tabTo('tab-classify');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('tab-train');
    await tabTo('epochs');
    await page.keyboard.type('2');
    await tabTo('train-start');
    await page.keyboard.press('Enter');
    await epochsDone(page, 1);
    expect(await focused()).toBe('run-title');
    await tabTo('train-stop');
    await page.keyboard.press('Space');
    await ended(page, 'Stopped');
    await tabTo('train-continue');
    await tabTo('matrix');
    // The link to the content leads there, and not to another tab.
    await page.locator('.skip').focus();
    await page.keyboard.press('Enter');
    expect(await page.getByRole('tab', { name: 'Train' }).getAttribute('aria-selected')).toBe('true');
  });

  test('every control has a name for screen readers, and nothing is wider than a telephone', async () => {
    const user = await newUser({ viewport: { width: 360, height: 740 } });
    const page = await browser.open(user);
    await page.locator('#model summary').click();
    const devtools = await user.newCDPSession(page);
    let controls = 0;
    for (const [name, choice] of [['Classify'], ['Train', 'Your own'], ['Train', 'CIFAR-10'], ['Teach']] as const) {
      const panel = await openTab(page, name);
      if (choice) await panel.getByLabel(choice).check();
      const { nodes } = await devtools.send('Accessibility.getFullAXTree');
      const named = nodes.filter(({ role, ignored }) => !ignored && CONTROLS.includes(role?.value));
      controls += named.length;
      expect(named.filter((node) => !node.name?.value)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    }
    expect(controls).toBeGreaterThan(60);
  });

  test('works offline after the first visit, and on one thread where it is not isolated', async () => {
    const user = await newUser();
    const page = await browser.open(user, 'plain');
    expect(await page.locator('#threads').textContent()).toBe('1 thread, as this page is not cross-origin isolated');
    await page.getByText('Works offline', { exact: true }).waitFor();
    await browser.goOffline();
    await page.reload();
    await page.locator('#model-facts').filter({ hasText: 'classes' }).waitFor();
    await startDrawn(page, 1);
    await ended(page, 'Finished');
    expect(await page.locator('#figure-accuracy').textContent()).toMatch(/^\d/);
  });

  test('prints no warning and no error in all that', () => {
    const expected = /net::ERR_FAILED|Service Worker registration blocked by Playwright/;
    expect(browser.complaints.filter((text) => !expected.test(text))).toEqual([]);
  });
});

/** Roles of what people operate. */
const CONTROLS = [
  ...['button', 'link', 'tab', 'radio', 'checkbox', 'textbox', 'spinbutton', 'combobox', 'DisclosureTriangle'],
  ...['progressbar', 'tabpanel', 'region'],
];

interface WatchedCamera {
  /** Ends the time in which the browser asks for permission. */
  allow(): void;
  /** How many of all tracks have not been stopped. */
  running(): number;
}

/** Runs in the page. */
function watchCamera(): void {
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  const tracks: MediaStreamTrack[] = [];
  let allow = () => {};
  const allowed = new Promise<void>((resolve) => {
    allow = resolve;
  });
  mediaDevices.getUserMedia = async (constraints) => {
    await allowed;
    const stream = await open(constraints);
    tracks.push(...stream.getTracks());
    return stream;
  };
  const running = () => tracks.filter(({ readyState }) => readyState === 'live').length;
  Object.assign(window, { allow, running });
}

/** How many canvases are not empty. */
function paintedCanvases(canvases: (SVGElement | HTMLElement)[]): number {
  const isPainted = (canvas: HTMLCanvasElement) =>
    canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.some((byte) => byte > 0);
  return (canvases as HTMLCanvasElement[]).filter(isPainted).length;
}

function readdirOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
