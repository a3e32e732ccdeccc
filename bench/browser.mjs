// Latency, throughput, load time and memory of the classifier and of its peers in headless Chromium, and the goals.
//
//   npm run bench:browser -- --help
//
// The page is cross-origin isolated, so that it may have threads.
import { join } from 'node:path';
import { chromiumPath } from '../scripts/chromiumPath.mjs';
import { startChromium } from './browserChromium.mjs';
import { commandOf, runBench } from './inferenceBench.mjs';
import { provideTflite } from './tflite.mjs';

const command = commandOf('bench:browser', 'chromium')
  .description(
    'Latency of one picture, throughput, load time and memory in Chromium: the engine, tfjs, onnxruntime, LiteRT.',
  )
  .option('--tflite <folder>', 'with MODEL/PRECISION-BATCH.tflite, made elsewhere by bench/tflite.py from --folder')
  .addHelpText('after', '\nLiteRT takes part where python3 has tensorflow, or with --tflite.');
/** @type {import('./inferenceBench.mjs').Options & { tflite?: string }} */
const options = command.parse().opts();
if (!chromiumPath) throw new Error('Expected Chromium or Chrome in a usual place or in CHROMIUM_PATH.');

await runBench('chromium', options, async (folder) => {
  const without = /** @type {import('./inferenceRuns.mjs').Runtime[]} */ (provideLitert(folder) ? [] : ['litert']);
  const place = await startChromium(folder);
  return { places: [place], without, close: place.close };
});

/** Whether LiteRT has its models, where it is asked for. @param {string} folder */
function provideLitert(folder) {
  if (!options.runtime.includes('litert')) return true;
  const provided = options.model.every((model) => provideTflite(model, join(folder, model), options.tflite));
  if (!provided) console.error('No python3 with tensorflow is found, and no --tflite is given: LiteRT is left out.');
  return provided;
}
