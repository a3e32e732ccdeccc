// The guides' programs for browsers run in Chromium, as a bundler for browsers finds the package: built.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { missingAnswer } from './answers';
import { compileOnly, type Program, pages, programsOf, root } from './blocks';
import { scratchFolder, writeModule } from './programs';

const why = chromiumPath ? '' : ' (skipped: no Chromium in a usual place nor in CHROMIUM_PATH)';
const programs = pages
  .flatMap((page) => programsOf(page))
  .filter((program) => program.checks.has('browser') && !compileOnly(program));
const folder = scratchFolder('browser');

const TYPES: Record<string, string> = {
  '.json': 'application/json',
  '.ts': 'text/javascript',
  // The picture that stands for all.
  '.jpg': 'image/png',
};
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
/** A page that says nothing of its own. */
const PAGE = '<script type="module" src="/main.ts"></script>';
/** The picture that pages take as given. */
const PICTURE = readFileSync(join(root, 'docs/guide/report.png'));

let browser: Browser;
let server: Server;
let origin: string;
/** What the server has beside the trained models, by path: the program of the moment. */
let served: Record<string, string | Buffer> = {};
let headers = {};

beforeAll(async () => {
  if (!chromiumPath) return;
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing: run npm run build first.');
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const model = join(root, 'dist', path);
    const isModel = path.startsWith('/cifar10/') && existsSync(model);
    const body = served[path] ?? (isModel ? readFileSync(model) : undefined);
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'text/html', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  browser = await chromium.launch({ executablePath: chromiumPath, args });
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await browser?.close();
  if (server) await new Promise((resolve) => server.close(resolve));
});

/** What a program prints in a page of its own. */
async function run(program: Program): Promise<string> {
  const done = 'document.documentElement.dataset.done = "true";';
  const file = writeModule(folder, { ...program, afterwards: `${program.afterwards}\n${done}` });
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  headers = program.checks.has('isolated') ? ISOLATION : {};
  const html = `<!doctype html><link rel="icon" href="data:," />${program.html ?? PAGE}`;
  served = { '/': html, '/main.ts': outputFiles[0]!.text, '/cat.jpg': PICTURE };

  const page = await browser.newPage();
  try {
    const printed: string[] = [];
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    page.on('console', (message) => printed.push(message.text()));
    await page.goto(origin);
    await Promise.race([page.waitForSelector('[data-done]', { state: 'attached', timeout: 50_000 }), failed]);
    return printed.join('\n');
  } finally {
    await page.close();
  }
}

test.skipIf(!chromiumPath).each(programs.map((program) => [`${program.name}${why}`, program] as const))(
  '%s',
  async (_, program) => {
    expect(missingAnswer(program, await run(program), program.checks.has('roughly'))).toBeUndefined();
  },
);
