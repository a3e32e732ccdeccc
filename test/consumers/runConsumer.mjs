import { join } from 'node:path';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { runNpm } from './command.mjs';
import { differences } from './compare.mjs';
import { copyConsumer, installTarball } from './install.mjs';
import { openPage } from './openPage.mjs';
import { startOwnServer } from './ownServer.mjs';
import { serveFolder } from './serveFolder.mjs';

/** @typedef {import('./install.mjs').ConsumerRun} ConsumerRun */

/**
 * What came of a consumer; `reason` says why it was skipped, or what failed.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {'passed' | 'failed' | 'skipped'} state
 * @property {string} [reason]
 */

/**
 * Installs a consumer and runs it, in each of its ways.
 *
 * @param {string} name
 * @param {{ place: string, tarball: string, expected: unknown }} options
 * @returns {Promise<Outcome[]>}
 */
export async function runConsumer(name, { place, tarball, expected }) {
  const { folder, runs, saysNeeds } = await copyConsumer(name, place);
  try {
    await installTarball(folder, tarball);
    if (saysNeeds) await runNpm(['run', '--silent', 'needs'], folder);
  } catch (error) {
    const reason = /** @type {Error} */ (error).message;
    return [{ name, state: saysNeeds ? 'skipped' : 'failed', reason }];
  }
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const run of runs) {
    const outcome = { name: run.mode ? `${name} (${run.mode})` : name };
    if (!run.run && !chromiumPath) {
      const reason = 'no Chromium in a usual place nor in CHROMIUM_PATH';
      outcomes.push({ ...outcome, state: 'skipped', reason });
      continue;
    }
    const reason = await failureOf(run, folder, join(place, `${outcome.name}.png`), expected);
    outcomes.push(reason === undefined ? { ...outcome, state: 'passed' } : { ...outcome, state: 'failed', reason });
  }
  return outcomes;
}

/**
 * @param {ConsumerRun} run
 * @param {string} folder
 * @param {string} picture
 * @param {unknown} expected
 */
async function failureOf(run, folder, picture, expected) {
  try {
    if (run.build) await runNpm(['run', '--silent', run.build], folder);
    const found = run.run ? await runProgram(run.run, run, folder) : await runPage(run, folder, picture);
    const problems = [...(run.result === false ? [] : differences(found.result, expected)), ...found.problems];
    return problems.length > 0 ? problems.join('\n') : undefined;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/**
 * @param {string} script
 * @param {ConsumerRun} run
 * @param {string} folder
 */
async function runProgram(script, { result }, folder) {
  const output = await runNpm(['run', '--silent', script], folder);
  return { result: result === false ? undefined : JSON.parse(output.trim().split('\n').at(-1) ?? ''), problems: [] };
}

/**
 * @param {ConsumerRun} run
 * @param {string} folder
 * @param {string} picture
 */
async function runPage(run, folder, picture) {
  const server = run.serve
    ? await startOwnServer(run.serve, folder)
    : await serveFolder(join(folder, run.folder ?? '.'), run.headers);
  try {
    const { result, complaints, requests } = await openPage(`${server.origin}/`, picture);
    const unexpected = complaints.filter((text) => !(run.complaints && new RegExp(run.complaints).test(text)));
    const counts = Object.entries(run.requests ?? {}).flatMap(([pattern, count]) => {
      const found = requests.filter((path) => new RegExp(pattern).test(path));
      return found.length === count ? [] : [`${count} requests of ${pattern} expected, received ${found.join(', ')}`];
    });
    return { result, problems: [...unexpected.map((text) => `the console: ${text}`), ...counts] };
  } finally {
    await server.close();
  }
}
