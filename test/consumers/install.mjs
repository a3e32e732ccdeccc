import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNpm } from './command.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * One way of running a consumer; `build`, `run` and `serve` are names of its npm scripts. `run` prints what came out as its
 * last line. A page, from `folder` or from the server that `serve` starts, shows it in an `<output>`.
 *
 * @typedef {object} ConsumerRun
 * @property {string} [mode] Its name, where a consumer has several.
 * @property {string} [build]
 * @property {string} [run]
 * @property {string} [serve]
 * @property {string} [folder]
 * @property {Record<string, string>} [headers] Of the page's server.
 * @property {string} [complaints] A pattern of what the page's console may say; else it may say nothing.
 * @property {Record<string, number>} [requests] How many requests there are, by a pattern of their paths.
 * @property {boolean} [result] Whether there is a result to compare; else the exit code says all. Default true.
 */

/** The names of the consumers: folders with a package.json. */
export async function listConsumers() {
  const entries = await readdir(here, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && entry.name !== 'shared').map(({ name }) => name);
}

/**
 * Packs what `npm run build` made; gives the tarball's path.
 *
 * @param {string} place
 */
export async function packTarball(place) {
  const output = await runNpm(['pack', '--ignore-scripts', '--json', '--pack-destination', place], root);
  // npm 12 gives an object by package name, npm before that a list.
  const [packed] = /** @type {{ filename: string }[]} */ (Object.values(JSON.parse(output)));
  if (packed === undefined) throw new Error(`npm pack names no tarball: ${output}`);
  return join(place, packed.filename);
}

/**
 * Copies a consumer into a folder of its own. Gives the folder, how to run it, and whether it says itself what it `needs`.
 *
 * @param {string} name
 * @param {string} place
 * @returns {Promise<{ folder: string, runs: ConsumerRun[], saysNeeds: boolean }>}
 */
export async function copyConsumer(name, place) {
  const folder = join(place, name);
  await mkdir(folder);
  await cp(join(here, name), folder, { recursive: true });
  await cp(join(here, 'shared'), join(folder, 'shared'), { recursive: true });
  const { consumer, scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return { folder, runs: consumer, saysNeeds: scripts.needs !== undefined };
}

/**
 * Installs the tarball and the consumer's own tools, as its users would.
 *
 * @param {string} folder
 * @param {string} tarball
 */
export async function installTarball(folder, tarball) {
  await runNpm(['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], folder);
}
