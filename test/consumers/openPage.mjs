import { chromium } from 'playwright-core';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';

/** For a busy machine. */
const TIMEOUT_MS = 5 * 60_000;

/**
 * Opens a page in headless Chromium, waits for what it shows in its `<output>`, and takes a picture of it.
 *
 * @param {string} address
 * @param {string} picture Path of the PNG file.
 * @throws {Error} where the page says that it failed
 */
export async function openPage(address, picture) {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 700, height: 620 } });
    /** @type {string[]} */
    const complaints = [];
    /** @type {string[]} */
    const requests = [];
    page.on('console', (message) => {
      if (!['warning', 'error'].includes(message.type())) return;
      complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(address);
    const output = page.locator('output[data-state]');
    const shown = await output.waitFor({ timeout: TIMEOUT_MS }).catch((error) => error);
    await page.screenshot({ path: picture });
    if (shown instanceof Error) throw new Error(`the page shows nothing: ${shown.message}\n${complaints.join('\n')}`);
    const text = (await output.textContent()) ?? '';
    if ((await output.getAttribute('data-state')) !== 'done') throw new Error(`${text}\n${complaints.join('\n')}`);
    return { result: JSON.parse(text), complaints, requests };
  } finally {
    await browser.close();
  }
}
