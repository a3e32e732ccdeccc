// The library in both halves of an Electron app: in the main process it is Node's, in the window a browser's.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { app, BrowserWindow, net, protocol } from 'electron';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';

const built = fileURLToPath(new URL('./dist', import.meta.url));

// Pages from file: can neither fetch nor share memory between threads; those of a scheme of one's own can.
protocol.registerSchemesAsPrivileged([
  { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);

/**
 * A file of the built page, with what lets it share memory.
 *
 * @param {Request} request
 */
async function serve({ url }) {
  const { pathname } = new URL(url);
  const file = await net.fetch(pathToFileURL(join(built, decodeURIComponent(pathname))).href);
  const headers = new Headers(file.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  return new Response(file.body, { status: file.status, headers });
}

async function main() {
  await app.whenReady();
  protocol.handle('app', serve);
  const window = new BrowserWindow({ show: false });
  await window.loadURL('app://page/index.html');
  const inWindow = await window.webContents.executeJavaScript('globalThis.result');
  const inMain = { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
  console.log(JSON.stringify([inWindow, inMain]));
}

main().then(
  () => app.exit(0),
  (error) => {
    console.error(error);
    app.exit(1);
  },
);
