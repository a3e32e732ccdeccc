import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { bundleSources } from './bundleSources';
import { why } from './chromium';
import type { OnnxPage } from './onnxPage';

/** Serves the page, its script, and the files that onnxruntime-web asks for. */
async function serve(): Promise<Server> {
  const script = await bundleSources('./onnxPage.ts', 'esm');
  const runtime = new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url);
  const server = createServer(({ url = '/' }, response) => {
    const answer = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { 'Content-Type': type }).end(body);
    if (url === '/')
      answer(
        'text/html',
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      );
    else if (url === '/page.js') answer('text/javascript', script);
    else if (url.endsWith('.wasm')) answer('application/wasm', readFileSync(new URL(`.${url}`, runtime)));
    else answer('text/javascript', readFileSync(new URL(`.${url}`, runtime)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe.skipIf(!chromiumPath)(`an ONNX file that is made and run in headless Chromium${why}`, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await serve();
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('window.onnx !== undefined');
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test.each([
    ['float32', 1e-5],
    ['float16', 0.05],
    ['int8', 1],
  ] as const)('%s: onnxruntime-web is within %d of the logits of tfjs', async (precision, bound) => {
    const { onnx, tfjs } = await page.evaluate(
      (options) => (window as unknown as { onnx: OnnxPage }).onnx.compare(options),
      { precision },
    );
    expect(onnx).toHaveLength(10);
    const error = Math.max(...onnx.map((logit, i) => Math.abs(logit - tfjs[i]!)));
    expect(error).toBeLessThan(bound);
  });
});
