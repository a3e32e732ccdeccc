import '@tensorflow/tfjs-backend-cpu';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { cifar10Classifier, cifar10Models } from '../../src/cifar10';
import type { Classification } from '../../src/classify/topClasses';
import { type PackedPackage, packPackage, root } from './packedPackage';

const consumers = fileURLToPath(new URL('./consumers', import.meta.url));
const models = join(root, 'models/cifar10');
const why = chromiumPath ? '' : ' (skipped: no Chromium in a usual place nor in CHROMIUM_PATH)';

describe('an app that Vite builds with the trained models', () => {
  let packed: PackedPackage;
  let assets: string;

  beforeAll(async () => {
    packed = await packPackage();
    for (const name of ['viteApp.html', 'viteApp.mjs']) copyFileSync(join(consumers, name), join(packed.app, name));
    await build({
      root: packed.app,
      configFile: false,
      logLevel: 'error',
      build: {
        target: 'es2022',
        chunkSizeWarningLimit: 1000,
        rollupOptions: { input: join(packed.app, 'viteApp.html') },
      },
    });
    assets = join(packed.app, 'dist/assets');
  });
  afterAll(() => packed?.remove());

  test('gets each file under a name of its own, which its script asks for', () => {
    const files = readdirSync(assets);
    const script = readFileSync(join(assets, files.find((name) => name.endsWith('.js'))!), 'utf8');
    for (const { alpha } of cifar10Models) {
      for (const name of ['model.json', 'weights.bin']) {
        const content = readFileSync(join(models, `alpha-${alpha}`, name));
        const asset = files.find((file) => content.equals(readFileSync(join(assets, file))));
        expect(script, `alpha ${alpha}, ${name}`).toContain(asset ?? 'a file with this content');
      }
    }
  });

  test.skipIf(!chromiumPath)(`classifies in Chromium as in Node, within 1e-5${why}`, async () => {
    const server = await preview({ root: packed.app, configFile: false, logLevel: 'error', preview: { port: 0 } });
    const browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.resolvedUrls!.local[0]}viteApp.html`);
      await page.waitForFunction('globalThis.classifyWithEach !== undefined');
      const found = await page.evaluate('globalThis.classifyWithEach()');
      expect(found).toEqual((await classifyWithEach()).map((classes) => classes.map(approximately)));
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

/** As consumers/viteApp.mjs does. */
async function classifyWithEach(): Promise<Classification[][]> {
  await setBackend('cpu');
  const picture = { data: Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 37) % 256), width: 32, height: 32 };
  const found: Classification[][] = [];
  for (const { alpha } of cifar10Models) {
    const classifier = await cifar10Classifier({ alpha, url: models });
    found.push(await classifier.classify(picture, { topK: 10 }));
    await classifier.dispose();
  }
  return found;
}

function approximately(each: Classification) {
  return { ...each, probability: expect.closeTo(each.probability, 5) };
}
