import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';

const root = fileURLToPath(new URL('../../examples/browser', import.meta.url));
const configFile = join(root, 'vite.config.ts');

/** The page on a server that sends the headers of isolation, or on one that does not. */
export type Hosting = 'isolated' | 'plain';

export interface Smoothness {
  longestFrameMs: number;
  /** The most processor time that the page's thread spent without a break. */
  longestTaskMs: number;
}

export interface LivePageBrowser {
  /** A user with storage of its own, and a camera that shows a moving figure on green. */
  newUser(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens the page; resolves when its model is loaded. */
  open(user: BrowserContext, hosting?: Hosting): Promise<Page>;
  /** Measures from now on until the function is called that it resolves with. */
  watchSmoothness(page: Page): Promise<() => Promise<Smoothness>>;
  /** Ends the server of the plain page. */
  goOffline(): Promise<void>;
  /** What pages have printed as warnings and errors. */
  complaints: string[];
  close(): Promise<void>;
}

/** Builds the page as `vite build` does, serves it in both ways, and starts Chromium with a camera. */
export async function startLivePageBrowser(): Promise<LivePageBrowser> {
  const outDir = mkdtempSync(join(tmpdir(), 'mobilenet-live-page-'));
  await build({ configFile, logLevel: 'error', build: { outDir } });
  const serve = (options: { configFile: string | false }) =>
    preview({ ...options, root, logLevel: 'error', build: { outDir }, preview: { port: 0 } });
  const servers = { isolated: await serve({ configFile }), plain: await serve({ configFile: false }) };
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
  const complaints: string[] = [];
  return {
    complaints,
    newUser: (options) => browser.newContext({ reducedMotion: 'reduce', ...options }),
    async open(user, hosting = 'isolated') {
      const page = await user.newPage();
      page.on('console', (message) => {
        if (['warning', 'error'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(servers[hosting].resolvedUrls!.local[0]!);
      await page.locator('#model-facts').filter({ hasText: 'classes' }).waitFor();
      return page;
    },
    async watchSmoothness(page) {
      await browser.startTracing(page, { categories: ['toplevel'] });
      await page.evaluate(watchFrames);
      return async () => {
        const longestFrameMs = await page.evaluate(
          () => (window as unknown as { longestFrameMs: number }).longestFrameMs,
        );
        return { longestFrameMs, longestTaskMs: longestTaskOf((await browser.stopTracing()).toString()) };
      };
    },
    goOffline: () => end(servers.plain),
    async close() {
      await browser.close();
      await Promise.all(Object.values(servers).map(end));
      rmSync(outDir, { recursive: true });
    },
  };
}

/** Runs in the page. */
function watchFrames(): void {
  let last = performance.now();
  const onFrame = (time: number) => {
    const { longestFrameMs = 0 } = window as { longestFrameMs?: number };
    Object.assign(window, { longestFrameMs: Math.max(longestFrameMs, time - last) });
    last = time;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
}

/** An entry of Chromium's trace; `tdur` is the thread's processor time, in microseconds. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  tdur?: number;
  args: { name?: string };
}

function longestTaskOf(trace: string): number {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const named = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const pages = new Set(named.map(threadOf));
  return traceEvents.reduce(
    (most, event) => (pages.has(threadOf(event)) ? Math.max(most, (event.tdur ?? 0) / 1000) : most),
    0,
  );
}

async function end(server: PreviewServer): Promise<void> {
  if (!server.httpServer.listening) return;
  await server.close();
}
