// Runs programs of the docs, one after the other in this process, each in a folder that holds what they take as given:
// cat.jpg, a folder of pets, and a saved model. Started by programs.test.ts with a list of modules; sends what each printed.
import '@tensorflow/tfjs-backend-cpu';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { configureEngine, mobilenetV1, saveModel, setModelMetadata, syntheticCifar10 } from 'mobilenet-v1-ts';
import sharp from 'sharp';

const TIMEOUT_MS = 60_000;

const place = mkdtempSync(join(tmpdir(), 'mobilenet-docs-'));
process.on('exit', () => {
  process.chdir(tmpdir());
  rmSync(place, { recursive: true, force: true });
});
// What programs of servers take as the port to listen on: any that is free.
process.env.PORT = '0';

const given = join(place, 'given');
await makeFiles(given);

for (const file of process.argv.slice(2)) {
  const folder = mkdtempSync(join(place, 'program-'));
  cpSync(given, folder, { recursive: true });
  process.chdir(folder);
  // What the program before it has set holds no more.
  await setBackend('cpu');
  configureEngine({});
  const start = performance.now();
  const printed = listen();
  const error = await runOne(file);
  process.send?.({ file, output: printed.end(), error, milliseconds: Math.round(performance.now() - start) });
}
process.exit();

/** @param {string} file @returns {Promise<string | undefined>} what went wrong */
async function runOne(file) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It was not done after ${TIMEOUT_MS / 1000} s.`)), TIMEOUT_MS);
  });
  try {
    await Promise.race([import(pathToFileURL(file).href), timeout]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? String(error.stack) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Takes what is written to stdout. */
function listen() {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = (/** @type {string | Uint8Array} */ chunk) => {
    text += chunk;
    return true;
  };
  return {
    end() {
      process.stdout.write = write;
      return text;
    },
  };
}

/** @param {string} folder */
async function makeFiles(folder) {
  const { train } = syntheticCifar10({ train: 24, test: 1 });
  /** @param {number} index @param {string} path */
  const draw = (index, path) => {
    const { images } = train.read([index]);
    return sharp(images, { raw: { width: 32, height: 32, channels: 3 } })
      .resize(80, 60)
      .toFile(join(folder, path));
  };
  for (const className of ['cat', 'dog']) mkdirSync(join(folder, 'pets', className), { recursive: true });
  await draw(0, 'cat.jpg');
  for (let i = 0; i < 24; i++) await draw(i, `pets/${i % 2 === 0 ? 'cat' : 'dog'}/${i}.png`);

  const model = mobilenetV1({ classes: 2, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
  setModelMetadata(model, { classNames: ['cat', 'dog'], inputRange: [-1, 1] });
  await saveModel(model, join(folder, 'my-model'));
  model.dispose();
}
