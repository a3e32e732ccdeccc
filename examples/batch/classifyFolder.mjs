import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startPool } from './pool.mjs';

/** @typedef {{ picture: string, classes: import('mobilenet-v1-ts').Classification[] }} Classified */
/** @typedef {{ picture: string, error: string }} Unreadable */

/** What a process gets at a time. */
const GROUP = 16;

/** Groups that are given away before the first of them is back: one in work, and others whose pictures are read meanwhile. */
const GROUPS_AHEAD = 3;

/**
 * What is on the pictures of a folder and of the folders in it, in the order of their paths.
 *
 * @param {string} folder
 * @param {{ model: string, topK: number, processes: number }} options
 * @returns {AsyncGenerator<Classified | Unreadable>}
 */
export async function* classifyFolder(folder, { model, topK, processes }) {
  const pictures = await picturesIn(folder);
  const pool = startPool(Math.min(processes, Math.ceil(pictures.length / GROUP)), { model, topK });
  try {
    /** @type {ReturnType<typeof pool.classify>[]} */
    const ahead = [];
    for (let i = 0; i < pictures.length; i += GROUP) {
      ahead.push(pool.classify(pictures.slice(i, i + GROUP)));
      if (ahead.length >= GROUPS_AHEAD * processes) yield* (await ahead.shift()) ?? [];
    }
    for (const group of ahead) yield* await group;
  } finally {
    pool.end();
  }
}

/** @param {string} folder */
async function picturesIn(folder) {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}
