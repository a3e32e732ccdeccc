// The HTTP service of examples/httpService under load: many uploads at once for a minute, on loopback. It fails where one of
// them is not answered with classes, where the service's memory grows, or where it does not stop as it should.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import sharp from 'sharp';
import { uploadsOf } from './loadUploads.mjs';
import { positiveInteger, printRows } from './output.mjs';

/** Looks at the service's memory; the first tells what the start took. */
const LOOKS = 12;

/** How much more the last third of the looks may hold than the second, in megabytes. */
const ALLOWED_GROWTH = 20;

const options = new Command()
  .description('Many uploads at once to the HTTP example.')
  .option('--uploads <number>', 'at once', positiveInteger, 200)
  .option('--seconds <number>', 'how long', positiveInteger, 60)
  .option('--width <number>', 'of the pictures; they are three quarters as high', positiveInteger, 640)
  .option(
    '--patience <number>',
    "seconds that the service has for an upload, and for its answer (default: the service's)",
  )
  .option('--json', 'one object a line', false)
  .parse()
  .opts();

const script = fileURLToPath(new URL('../examples/httpService/server.mjs', import.meta.url));
const patience = options.patience ? ['--upload-seconds', options.patience, '--answer-seconds', options.patience] : [];
const service = spawn(process.execPath, [script, '--port', '0', '--log-level', 'warn', ...patience], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const agent = new Agent({ keepAlive: true });
try {
  await main();
} finally {
  agent.destroy();
  service.kill('SIGKILL');
}

async function main() {
  const [text] = await once(service.stdout.setEncoding('utf8'), 'data');
  const address = /http:\S+/.exec(text)?.[0];
  if (!address) throw new Error(`Expected the service's address, received ${text}.`);
  const uploads = uploadsOf(await drawPictures(), { address, agent });
  const begin = performance.now();
  const looking = look(uploads);
  const stop = AbortSignal.timeout(1000 * options.seconds);
  await Promise.all(Array.from({ length: options.uploads }, (_, i) => uploads.repeat(i, stop)));
  const seconds = (performance.now() - begin) / 1000;
  const looks = await looking;
  service.kill('SIGTERM');
  const [code] = await once(service, 'exit');
  report({ ...uploads.result(), seconds, looks, code });
}

/** Photo-like pictures of different sizes: large JPEGs and small PNGs in turn. */
function drawPictures() {
  return Promise.all(
    Array.from({ length: 8 }, (_, i) => {
      const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * 97 + i * 31 + at * at) % 256);
      const width = Math.round((options.width * (1 - i / 16)) / (i % 2 ? 4 : 1));
      const picture = sharp(noise, { raw: { width: 40, height: 30, channels: 3 } }).resize(
        width,
        Math.round(width * 0.75),
      );
      return i % 2 ? picture.png().toBuffer() : picture.jpeg().toBuffer();
    }),
  );
}

/** @typedef {{ seconds: number, answered: number, open: number, megabytes: number }} Look */

/** @param {ReturnType<typeof uploadsOf>} uploads */
async function look(uploads) {
  const begin = performance.now();
  /** @type {Look[]} */
  const looks = [];
  for (let i = 1; i <= LOOKS; i++) {
    await new Promise((resolve) => setTimeout(resolve, (1000 * options.seconds) / LOOKS));
    const { megabytes, uploads: open } = await uploads.health();
    looks.push({
      seconds: Math.round((performance.now() - begin) / 1000),
      answered: uploads.answered(),
      open,
      megabytes,
    });
  }
  return looks;
}

/** @param {ReturnType<ReturnType<typeof uploadsOf>['result']> & { seconds: number, looks: Look[], code: number | null }} run */
function report({ answered, errors, quantile, seconds, looks, code }) {
  printRows(looks, {
    json: options.json,
    columns: {
      seconds: (row) => row.seconds,
      answered: (row) => row.answered,
      'open uploads': (row) => row.open,
      'RSS, MB': (row) => row.megabytes,
    },
  });
  console.error(
    `${answered} uploads in ${seconds.toFixed(1)} s, ${(answered / seconds).toFixed(1)} a second; ` +
      `answers after ${quantile(0.5)} ms (median), ${quantile(0.99)} ms (99 %)`,
  );
  const megabytes = looks.map((row) => row.megabytes);
  const most = (/** @type {number[]} */ values) => Math.max(...values);
  const growth = most(megabytes.slice((2 * LOOKS) / 3)) - most(megabytes.slice(LOOKS / 3, (2 * LOOKS) / 3));
  const faults = Object.entries(errors).map(([error, times]) => `${times} times: ${error}`);
  if (growth > ALLOWED_GROWTH) faults.push(`The memory has grown by ${growth} MB in the last third.`);
  if (code !== 0) faults.push(`The service ended with code ${code}.`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
