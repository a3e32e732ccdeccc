// Runs the consumers of test/consumers: apps that install the packed package from a tarball, with their own tools from the
// npm registry, and do the real thing with it. It wants a build, and the registry or npm's cache of it.
//
//   npm run consumers -- [--keep] [name ...]
//
// --keep leaves the apps, and pictures of their pages, in the temporary folder that it names.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { expectedResult } from '../test/consumers/compare.mjs';
import { listConsumers, packTarball } from '../test/consumers/install.mjs';
import { runConsumer } from '../test/consumers/runConsumer.mjs';

/** @typedef {import('../test/consumers/runConsumer.mjs').Outcome} Outcome */

const { values, positionals } = parseArgs({ options: { keep: { type: 'boolean' } }, allowPositionals: true });
const known = await listConsumers();
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) refuse(`There is no consumer ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
if (!existsSync(fileURLToPath(new URL('../dist/index.js', import.meta.url)))) refuse('Run npm run build first.');

const place = await mkdtemp(join(tmpdir(), 'mobilenet-v1-ts-consumers-'));
/** @type {Outcome[]} */
const outcomes = [];
try {
  const tarball = await packTarball(place);
  const expected = await expectedResult();
  for (const name of positionals.length > 0 ? positionals : known) {
    const start = Date.now();
    const done = await runConsumer(name, { place, tarball, expected });
    const seconds = Math.round((Date.now() - start) / 1000);
    for (const outcome of done) console.log(line(outcome, `${seconds} s`));
    outcomes.push(...done);
    if (!values.keep) await rm(join(place, name), { recursive: true, force: true });
  }
} finally {
  if (values.keep) console.log(`\nkept in ${place}`);
  else await rm(place, { recursive: true, force: true });
}

const failed = outcomes.filter(({ state }) => state === 'failed');
for (const { name, reason } of failed) console.log(`\n--- ${name}\n${reason}`);
const count = (/** @type {Outcome['state']} */ state) => outcomes.filter((outcome) => outcome.state === state).length;
console.log(`\nconsumers: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = failed.length > 0 ? 1 : 0;

/**
 * @param {Outcome} outcome
 * @param {string} time
 */
function line({ name, state, reason = '' }, time) {
  const lines = reason.trim().split('\n');
  // Of a command that failed, what it said last of an error tells more than which command it was.
  const told = state === 'skipped' ? (lines.filter((text) => /error/i.test(text)).at(-1) ?? lines.at(-1)) : lines[0];
  return [name.padEnd(18), state.padEnd(8), time.padStart(6), told].join('  ').trimEnd();
}

/** @param {string} message */
function refuse(message) {
  console.error(message);
  process.exit(2);
}
