import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tfjsWasm = join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist');

/** What the package has for apps that give the engine its files themselves. */
const own: Record<string, string> = {
  '/worker.js': join(root, 'dist/worker/browser.js'),
  ...Object.fromEntries(
    ['simd', 'simd-shared', 'relaxed-simd', 'relaxed-simd-shared'].map((flavour) => [
      `/wasm/${flavour}.wasm`,
      join(root, `dist/wasm/${flavour}.wasm`),
    ]),
  ),
};

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Neither inline scripts nor eval, and workers from the page's own server only. */
const policy = { 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" };

/** The pages, by the headers that they come with. */
const pages = { plain: {}, isolated: isolation, strict: { ...isolation, ...policy } };

/** Says in a test's title why it is skipped. */
export const why = chromiumPath ? '' : ' (skipped: no Chromium in a usual place nor in CHROMIUM_PATH)';

export interface Browsing {
  /**
   * Opens a page on which `window.library` is test/browser/page.ts: one that may not share memory, one that is isolated
   * and may, or one that may and has a strict Content Security Policy.
   */
  open(page: keyof typeof pages): Promise<Page>;
  /** What pages have printed as warnings and errors. */
  complaints: string[];
  /** Requests that the server got, by path. */
  requests: string[];
  close(): Promise<void>;
}

/** Starts Chromium on a server of its own; `files` are what it serves beside the page. */
export async function startBrowsing(files: Record<string, () => Uint8Array> = {}): Promise<Browsing> {
  const script = await bundlePage();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push(path);
    const answer = (type: string, body: string | Uint8Array, headers = {}) =>
      response
        .writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers })
        .end(body);
    const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
    const headers = pages[path.slice(1) as keyof typeof pages];
    if (headers) answer('text/html', html, headers);
    else if (path === '/page.js') answer('text/javascript', script, isolation);
    else if (existsSync(join(tfjsWasm, path)) && path.endsWith('.wasm'))
      answer('application/wasm', readFileSync(join(tfjsWasm, path)), isolation);
    else if (own[path])
      answer(path.endsWith('.js') ? 'text/javascript' : 'application/wasm', readFileSync(own[path]), isolation);
    else if (files[path]) answer('application/gzip', files[path]());
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // The software renderer, where there is no graphics card.
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
    requests,
    async open(name) {
      const page = await browser.newPage();
      page.on('console', (message) => {
        if (['warning', 'error'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`${origin}/${name}`);
      await page.waitForFunction('window.library !== undefined');
      return page;
    },
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The page's script, with the package as a bundler for browsers finds it: built, through its exports and imports. */
async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Not tsconfig.json, whose paths lead to the sources.
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
