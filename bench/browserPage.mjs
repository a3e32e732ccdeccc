// What runs in the page of bench:browser: one job, called from outside.
import { measure } from './inferenceMeasure.mjs';

/** @type {Partial<Record<import('./peers.mjs').Peer, () => Promise<unknown>>>} */
const peers = {
  '@litertjs/core': () => import('@litertjs/core'),
  '@tensorflow/tfjs-converter': () => import('@tensorflow/tfjs-converter'),
  'onnxruntime-web': () => import('onnxruntime-web/wasm'),
};

/** @param {import('./inferenceRuntimes.mjs').Job & { seconds: number }} job */
const run = (job) =>
  measure(job, {
    async read(file) {
      const response = await fetch(`/models/${job.model}/${file}`);
      if (!response.ok) throw new Error(`${file}: ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    importPeer: async (peer) => peers[peer]?.(),
    assets: `${location.origin}/assets/`,
  });

Object.assign(window, { run });
