import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, bundleTeamWorker, temporaryFolder } from './teamBundles';

const execute = promisify(execFile);
const folder = temporaryFolder();

beforeAll(async () => {
  const worker = `${await bundleTeamWorker()}\nserve(require('node:worker_threads').parentPort);`;
  writeFileSync(join(folder.path, 'worker.cjs'), worker);
  const library =
    "export { createTeam } from '../../src/engine/team';\nexport * from '../../src/engine/configureEngine';";
  writeFileSync(join(folder.path, 'library.mjs'), await bundle(library, 'esm', 'node'));
});

afterAll(folder.remove);

/** Runs a script that has `start(threads, memoryBytes)` in a process of its own; gives what it prints. */
async function runScript(script: string): Promise<string> {
  const head = `
    import { Worker } from 'node:worker_threads';
    import { configureEngine, createTeam } from './library.mjs';
    // The script's own output goes through pipes.
    const leftOver = () => process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap').join();
    let exits = 0;
    configureEngine({
      createWorker: () => new Worker(new URL('./worker.cjs', import.meta.url)).on('exit', () => exits++),
    });
    const start = (threads, memoryBytes = 1) =>
      createTeam({ threads, prepare: (threads) => ({ init: { threads }, memoryBytes }) });`;
  const path = join(folder.path, 'script.mjs');
  writeFileSync(path, head + script);
  return (await execute(process.execPath, [path], { timeout: 50_000 })).stdout.trim();
}

test('a forgotten team does not keep the process alive; one at work does', async () => {
  const output = await runScript(`
    const team = await start(2);
    console.log('resources:', leftOver());
    team.run({ kind: 'meet', rounds: 20_000 }).then((wrong) => console.log('done', wrong));`);
  expect(output).toBe('resources: \ndone 0');
});

test('awaiting dispose is safe where nothing else keeps the process alive', async () => {
  const output = await runScript(`
    const team = await start(2);
    await team.dispose();
    console.log(exits);`);
  expect(output).toBe('2');
});

test('a hundred teams one after the other leave no thread, no handle, and less memory than ten of them would take', async () => {
  const megabytes = 16;
  const output = await runScript(`
    const cycle = async (i) => {
      const team = await start(2, ${megabytes} * 2 ** 20);
      const pending = team.run({ kind: 'fill' });
      // Each third ends by dispose while it works, each third after.
      if (i % 3 === 0) pending.catch(() => {});
      else await pending;
      await team.dispose();
    };
    await cycle(1);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) await cycle(i);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    console.log(JSON.stringify({ grown, exits, resources: leftOver() }));`);
  const { grown, exits, resources } = JSON.parse(output);
  expect(exits).toBe(202);
  expect(resources).toBe('');
  expect(grown).toBeLessThan(10 * megabytes);
});
