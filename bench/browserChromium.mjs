// A headless Chromium with a page of its own for each run, cross-origin isolated, so that it may have threads.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { chromiumPath } from '../scripts/chromiumPath.mjs';
import { name } from './inferenceRuns.mjs';
import { peerModules } from './peers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const HEADERS = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const TYPES = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' };

/** Where peers have their WebAssembly files. */
const assets = {
  '/assets/tfjs/': join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist/'),
  '/assets/onnxruntime-web/': join(peerModules, 'onnxruntime-web/dist/'),
  '/assets/litert/': join(peerModules, '@litertjs/core/wasm/'),
};

/**
 * @param {string} folder a subfolder for each model
 * @returns {Promise<import('./inferenceBench.mjs').Place & { close: () => void }>}
 */
export async function startChromium(folder) {
  const scripts = await bundlePage();
  const folders = { ...assets, '/models/': `${folder}/` };
  const server = createServer((request, response) => {
    const content = contentAt(request.url ?? '/', scripts, folders);
    if (!content) return void response.writeHead(404, HEADERS).end();
    const extension = request.url === '/' ? 'html' : request.url?.split('.').at(-1);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extension)] ?? 'application/octet-stream';
    response.writeHead(200, { ...HEADERS, 'Content-Type': type, 'Content-Length': content.byteLength }).end(content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  /** @type {<T>(use: (browser: import('playwright-core').Browser) => Promise<T>) => Promise<T>} */
  const withBrowser = async (use) => {
    const browser = await chromium.launch({
      executablePath: String(chromiumPath),
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    try {
      return await use(browser);
    } finally {
      await browser.close();
    }
  };
  return {
    version: await withBrowser(async (browser) => `Chromium ${browser.version()}`),
    close: () => void server.close(),
    run: (job) =>
      withBrowser(async (browser) => {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${port}/`);
        await page.waitForFunction('window.run !== undefined');
        return page.evaluate((job) => /** @type {any} */ (window).run(job), job);
      }).catch((error) => {
        throw new Error(`Chromium, ${name(job)} failed.\n${error.message}`);
      }),
  };
}

/**
 * @param {string} url
 * @param {Map<string, Uint8Array>} scripts
 * @param {Record<string, string>} folders
 */
function contentAt(url, scripts, folders) {
  if (url === '/')
    return Buffer.from(
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/browserPage.js"></script>',
    );
  const prefix = Object.keys(folders).find((start) => url.startsWith(start));
  if (prefix === undefined) return scripts.get(basename(url));
  const path = join(String(folders[prefix]), url.slice(prefix.length));
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** The page's script, and what it imports when it is needed, by name. */
async function bundlePage() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['bench/browserPage.mjs'],
    outdir: 'bench',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    nodePaths: [peerModules],
    conditions: ['onnxruntime-web-use-extern-wasm'],
    // Not tsconfig.json, whose paths lead to the sources.
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}
