// Keeps the page's files. The build puts VERSION and FILES before this (serviceWorkerPlugin.ts).

declare const VERSION: string;
/** Addresses of all files of this build, relative to this script. */
declare const FILES: readonly string[];

/** What TypeScript's library for pages does not know. */
interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends LifeEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: RequestEvent) => void): void;
  clients: { claim(): Promise<void> };
}

const scope = self as unknown as ServiceWorkerScope;
/** The folder of the page; other pages of the origin, and copies of this one, are none of its business. */
const HOME = new URL('./', location.href).pathname;
const PREFIX = `live-page-${HOME}-`;
const CACHE = PREFIX + VERSION;

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Names hold a digest of their content, but for a few; those must not come from an older cache of the browser.
  await cache.addAll(FILES.map((file) => new Request(file, { cache: 'no-cache' })));
}

/** Comes when no tab shows an older build any more. */
async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** From the cache, with the headers that the server sent: a page that was isolated is so offline, too. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  // Servers say that an answer varies with the origin that asks; here there is one.
  const options = { ignoreSearch: true, ignoreVary: true };
  const { pathname } = new URL(request.url);
  const isPage = request.mode === 'navigate' && [HOME, `${HOME}index.html`].includes(pathname);
  const cached = await cache.match(isPage ? './' : request, options);
  return cached ?? fetch(request);
}
