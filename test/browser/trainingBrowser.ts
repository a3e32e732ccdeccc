import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { bundleSources } from './bundleSources';

/** What makes a page one that may share memory, and so train on several threads. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export type Kind = 'plain' | 'isolated';

export interface TrainingBrowser {
  /** A user of its own, with storage that lasts until it is closed. */
  newUser(): Promise<BrowserContext>;
  /** Opens a page on which `window.training` is trainingPage.ts. */
  open(user: BrowserContext, kind: Kind): Promise<Page>;
  /** What pages have printed as warnings and errors. */
  complaints: string[];
  close(): Promise<void>;
}

/** Starts Chromium and a server on this machine, as only a secure page has private files. */
export async function startTrainingBrowser(): Promise<TrainingBrowser> {
  const script = await bundleSources('./trainingPage.ts', 'esm');
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    const headers = isScript || request.url === '/isolated' ? isolation : {};
    response
      .writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html', ...headers })
      .end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    // The software renderer, where there is no graphics card.
    args: [
      '--no-sandbox',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
    ],
  });
  const complaints: string[] = [];
  return {
    complaints,
    newUser: () => browser.newContext(),
    async open(user, kind) {
      const page = await user.newPage();
      page.on('console', (message) => {
        if (['warning', 'error'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`${origin}/${kind}`);
      await page.waitForFunction('window.training !== undefined');
      return page;
    },
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
