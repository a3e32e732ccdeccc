import { Command, InvalidArgumentError, Option } from 'commander';
import { LIMITS } from './limits.mjs';

/**
 * @typedef {object} ServiceOptions
 * @property {string} model
 * @property {'float32' | 'int8'} precision
 * @property {number} [threads]
 * @property {string} host
 * @property {number} port
 * @property {string} logLevel
 * @property {import('./limits.mjs').Limits} limits
 */

/**
 * @param {string[]} argv
 * @returns {ServiceOptions}
 */
export function parseOptions(argv) {
  const { maxBytes, maxPixels, maxUploads, uploadSeconds, answerSeconds, ...options } = new Command('server.mjs')
    .description('Classifies pictures that are uploaded to POST /classify; GET /health says how it is.')
    .option('--model <place>', "a model's folder, or 'cifar10', which comes with the package", 'cifar10')
    .addOption(new Option('--precision <name>').choices(['float32', 'int8']).default('float32'))
    .option('--threads <number>', "of the classifier (default: the machine's, at most 8)", positiveInteger)
    .option('--host <name>', "what is listened on; '0.0.0.0' in a container", '127.0.0.1')
    .option('--port <number>', '0 is any that is free', integer, 3000)
    .option('--max-bytes <number>', 'of an upload', positiveInteger, LIMITS.bytes)
    .option('--max-pixels <number>', 'of a picture', positiveInteger, LIMITS.pixels)
    .option('--max-uploads <number>', 'that are open at once', positiveInteger, LIMITS.uploads)
    .option(
      '--upload-seconds <number>',
      'within which an upload must be there',
      positiveInteger,
      LIMITS.uploadMs / 1000,
    )
    .option('--answer-seconds <number>', 'within which it is answered then', positiveInteger, LIMITS.answerMs / 1000)
    .addOption(new Option('--log-level <name>').choices(['info', 'warn', 'error', 'silent']).default('info'))
    .allowExcessArguments(false)
    .parse(argv, { from: 'user' })
    .opts();
  const limits = {
    bytes: maxBytes,
    pixels: maxPixels,
    uploads: maxUploads,
    uploadMs: 1000 * uploadSeconds,
    answerMs: 1000 * answerSeconds,
  };
  return /** @type {ServiceOptions} */ ({ ...options, limits });
}

/** @param {string} text */
function integer(text) {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected an integer of at least 0.');
  return Number(text);
}

/** @param {string} text */
function positiveInteger(text) {
  if (integer(text) < 1) throw new InvalidArgumentError('Expected an integer of at least 1.');
  return integer(text);
}
