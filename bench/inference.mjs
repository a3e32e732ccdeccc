// Latency, throughput, load time and memory of the classifier and of its peers in Node, and the goals.
//
//   npm run bench:inference -- --help
//
// On a Node without relaxed SIMD everything runs in a newer one too.
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { commandOf, runBench } from './inferenceBench.mjs';
import { name } from './inferenceRuns.mjs';
import { hasRelaxedSimd, nodeWithRelaxedSimd } from './nodes.mjs';

const execute = promisify(execFile);
const worker = fileURLToPath(new URL('inferenceWorker.mjs', import.meta.url));

const command = commandOf('bench:inference', 'node').description(
  'Latency of one picture, throughput, load time and memory in Node: the engine, tfjs and onnxruntime.',
);
/** @type {import('./inferenceBench.mjs').Options} */
const options = command.parse().opts();
const executables = hasRelaxedSimd ? [process.execPath] : [nodeWithRelaxedSimd(), process.execPath];
await runBench('node', options, async (folder) => ({
  places: executables.map((executable) => placeOf(executable, folder)),
}));

/**
 * @param {string} executable
 * @param {string} folder
 * @returns {import('./inferenceBench.mjs').Place}
 */
function placeOf(executable, folder) {
  const version = `Node ${execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim()}`;
  return {
    version,
    async run(job) {
      const argument = JSON.stringify({ ...job, folder: join(folder, job.model) });
      const { stdout } = await execute(executable, [worker, argument], { maxBuffer: 2 ** 26 }).catch(({ stderr }) => {
        throw new Error(`${version}, ${name(job)} failed.\n${stderr}`);
      });
      return JSON.parse(String(stdout.trim().split('\n').at(-1)));
    },
  };
}
