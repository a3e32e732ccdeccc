// Relaxed SIMD needs Node 22. On an older one the benches start a newer Node beside it: the npm package `node`, fetched
// once into a cache folder, and no dependency, which everybody would have to download.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_WITH_RELAXED_SIMD = 22;
const NEWER = 24;

/** Whether this Node runs modules with relaxed SIMD. */
export const hasRelaxedSimd = Number.parseInt(process.versions.node, 10) >= OLDEST_WITH_RELAXED_SIMD;

/** The path of a Node with relaxed SIMD: this one, or one that is fetched first. */
export function nodeWithRelaxedSimd() {
  if (hasRelaxedSimd) return process.execPath;
  const folder = fileURLToPath(new URL(`../node_modules/.cache/node${NEWER}`, import.meta.url));
  const executable = join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(executable)) {
    console.error(`Node ${process.versions.node} has no relaxed SIMD: fetching Node ${NEWER} for the bench.`);
    mkdirSync(folder, { recursive: true });
    execFileSync(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder, `node@${NEWER}`],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        shell: process.platform === 'win32',
      },
    );
  }
  return executable;
}
