import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { randomUniform, type Tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { type ExportTfliteOptions, exportTflite } from '../../src/formats/exportTflite';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';
import { bundleSources } from './bundleSources';
import { why } from './chromium';
import type { TflitePage } from './tflitePage';

/** Answered from files, without a server. */
const ORIGIN = 'http://litert.test';
const litert = fileURLToPath(new URL('../../node_modules/@litertjs/core/wasm', import.meta.url));

describe.skipIf(!chromiumPath)(`TFLite files by LiteRT.js in headless Chromium${why}`, () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
    page = await browser.newPage();
    await page.route(`${ORIGIN}/**`, (route) => {
      const path = new URL(route.request().url()).pathname;
      if (path === '/') return route.fulfill({ contentType: 'text/html', body: '<!doctype html>' });
      const contentType = path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
      return route.fulfill({ contentType, body: readFileSync(litert + path) });
    });
    await page.goto(ORIGIN);
    await page.addScriptTag({ content: await bundleSources('./tflitePage.ts', 'iife') });
    await call('start', `${ORIGIN}/`);
  });
  afterAll(() => browser?.close());

  function call<M extends keyof TflitePage>(method: M, ...args: Parameters<TflitePage[M]>): ReturnType<TflitePage[M]> {
    const job = ([name, values]: [M, unknown[]]) =>
      (window as unknown as { tflite: Record<M, (...values: unknown[]) => unknown> }).tflite[name](...values);
    return page.evaluate(job as never, [method, args] as never) as ReturnType<TflitePage[M]>;
  }

  /** The largest difference from what tfjs makes of two pictures, and the names of input and output. */
  async function compare(model: LayersModel, options: ExportTfliteOptions = {}) {
    randomizeWeights(model, createRandom(3));
    const shape = [2, ...(model.inputs[0]!.shape.slice(1) as number[])];
    const pictures = randomUniform(shape, -1, 1, 'float32', 5);
    const expected = await (model.predict(pictures) as Tensor).data();
    const file = await exportTflite(model, { batch: 2, ...options });
    const { names, values } = await call(
      'run',
      Buffer.from(file).toString('base64'),
      Array.from(await pictures.data()),
      shape,
    );
    expect(values).toHaveLength(expected.length);
    return { names, difference: Math.max(...values.map((value, i) => Math.abs(value - expected[i]!))) };
  }

  test.each(['same', 'keras', 'torch'] as const)("padding '%s': probabilities within 1e-5 of tfjs", async (padding) => {
    const model = mobilenetV1({ alpha: 0.125, inputShape: [33, 37, 3], classes: 10, padding });
    const { names, difference } = await compare(model);
    expect(names).toEqual([model.inputNames[0], model.outputNames[0]]);
    expect(difference).toBeLessThan(1e-5);
  });

  test('float16 kernels: logits within 1e-2', async () => {
    const model = mobilenetV1({ alpha: 0.125, inputShape: [32, 32, 3], classes: 10, classifierActivation: 'linear' });
    const { difference } = await compare(model, { quantize: 'float16' });
    expect(difference).toBeLessThan(1e-2);
    expect(difference).toBeGreaterThan(0);
  });

  test('every operator that an export can hold: within 1e-5', async () => {
    const model = chain(
      [9, 8, 2],
      layers.batchNormalization(),
      layers.zeroPadding2d({ padding: [[1, 2] as [number, number], [0, 3] as [number, number]] }),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }),
      layers.reLU({ maxValue: 1.5 }),
      layers.conv2d({ filters: 4, kernelSize: 1 }),
      layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      layers.reLU(),
      layers.dense({ units: 6, activation: 'relu6' }),
      layers.dense({ units: 5 }),
      layers.softmax(),
    );
    expect((await compare(model)).difference).toBeLessThan(1e-5);
  });

  test('a softmax over a map, and a pool behind a dense layer: within 1e-5', async () => {
    const spatial = chain([4, 5, 2], layers.conv2d({ filters: 3, kernelSize: 1 }), layers.flatten(), layers.softmax());
    const pooled = chain(
      [4, 5, 2],
      layers.flatten(),
      layers.dense({ units: 6 }),
      layers.reshape({ targetShape: [1, 1, 6] }),
      layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    );
    for (const model of [spatial, pooled]) expect((await compare(model)).difference).toBeLessThan(1e-5);
  });
});
