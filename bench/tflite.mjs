// The .tflite files that LiteRT.js runs, which need Python's TensorFlow, or come from a machine that has it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODELS } from './inferenceModels.mjs';

/** @typedef {import('./inferenceModels.mjs').ModelName} ModelName */

const script = fileURLToPath(new URL('tflite.py', import.meta.url));

/**
 * Puts a model's files, one for each precision and batch size, beside its weights.
 *
 * @param {ModelName} name
 * @param {string} folder what `writeInferenceState` wrote
 * @param {string | undefined} given a folder with a subfolder for each model, from which files are taken instead
 * @returns {boolean} whether all are there
 */
export function provideTflite(name, folder, given) {
  const { batchSizes } = MODELS[name];
  const files = batchSizes.flatMap((size) => [`float32-${size}.tflite`, `int8-${size}.tflite`]);
  if (given !== undefined) {
    const missing = files.find((file) => !existsSync(join(given, name, file)));
    if (missing) throw new Error(`${join(given, name, missing)} does not exist.`);
    for (const file of files) copyFileSync(join(given, name, file), join(folder, file));
    return true;
  }
  if (!hasTensorflow()) return false;
  console.error(`Converting ${name} for LiteRT.`);
  execFileSync('python3', [script, folder, ...batchSizes.map(String)], { stdio: ['ignore', 'ignore', 'pipe'] });
  return true;
}

function hasTensorflow() {
  try {
    execFileSync('python3', ['-c', 'import tensorflow'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
