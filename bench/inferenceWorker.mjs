// One run of an inference bench in a process of its own, so that its memory is its own: argv[2] is a job as JSON, the last
// line on stdout a report.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measure } from './inferenceMeasure.mjs';
import { importPeer } from './peers.mjs';

const { folder, ...job } = JSON.parse(String(process.argv[2]));
const report = await measure(job, {
  // A buffer of its own, not a part of Node's pool.
  read: async (file) => Uint8Array.from(await readFile(join(folder, file))),
  importPeer,
  assets: undefined,
  processMegabytes: () => process.memoryUsage.rss() / 1e6,
});
// onnxruntime-web's threads would keep the process.
process.stdout.write(JSON.stringify(report), () => process.exit());
