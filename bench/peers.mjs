// Other runtimes, to measure against. They are no dependencies, which everybody would have to download, but are fetched
// once into a cache folder when a bench asks for one of them.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const VERSIONS = {
  '@litertjs/core': '2.5.3',
  '@tensorflow/tfjs-converter': '4.22.0',
  'onnxruntime-node': '1.30.0',
  'onnxruntime-web': '1.30.0',
  protobufjs: '8.8.1',
};

/** @typedef {keyof typeof VERSIONS} Peer */

// Below node_modules, so that the converter finds the project's own tfjs-core, of which there may be one only.
const folder = fileURLToPath(new URL('../node_modules/.cache/bench-peers', import.meta.url));
export const peerModules = join(folder, 'node_modules');

/** Installs the peers that are not yet there. */
export function fetchPeers() {
  const peers = /** @type {Peer[]} */ (Object.keys(VERSIONS));
  if (peers.every((peer) => installedVersion(peer) === VERSIONS[peer])) return;
  console.error('Fetching the other runtimes for the bench.');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: VERSIONS }));
  // Without scripts: onnxruntime-node brings its CPU library in the package, and downloads only the GPU's.
  execFileSync(
    'npm',
    ['install', '--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder],
    { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' },
  );
}

/**
 * Undefined where it is not installed.
 *
 * @param {Peer} name
 * @returns {string | undefined}
 */
function installedVersion(name) {
  const file = join(peerModules, name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/**
 * A peer's exports, in Node.
 *
 * @param {Peer} name
 * @returns {Promise<any>}
 */
export async function importPeer(name) {
  return import(pathToFileURL(createRequire(join(folder, 'package.json')).resolve(name)).href);
}
