import { byId } from './ui/dom';

/** Has the page's files kept, so that it opens without a network from the second visit on. */
export async function worksOffline(): Promise<void> {
  // The development server's files change all the time.
  if (import.meta.hot || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('./serviceWorker.js');
    await navigator.serviceWorker.ready;
    byId('offline').hidden = false;
  } catch {
    // The browser forbids it: the page needs its network then.
  }
}
