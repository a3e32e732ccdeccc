// The runtimes that are compared, in Node and in a page alike. What a runtime takes as input is made before anything is
// timed: float tensors for the peers, in the layout that they want, and bytes for the engine.
import { openEngine } from './inferenceEngine.mjs';
import { openLitert } from './inferenceLitert.mjs';
import { openOnnxruntimeNode, openOnnxruntimeWeb } from './inferenceOnnx.mjs';
import { openTfjsGraph, openTfjsLayers } from './inferenceTfjs.mjs';

/** @typedef {'engine' | 'tfjs-layers' | 'tfjs-graph' | 'onnxruntime-web' | 'onnxruntime-node' | 'litert'} Runtime */

/**
 * @typedef {object} Job
 * @property {import('./inferenceModels.mjs').ModelName} model
 * @property {Runtime} runtime
 * @property {'float32' | 'int8'} precision
 * @property {number} threads
 */

/**
 * What a job finds in the place where it runs.
 *
 * @typedef {object} Surroundings
 * @property {(file: string) => Promise<Uint8Array<ArrayBuffer>>} read a file of the model's folder
 * @property {(peer: import('./peers.mjs').Peer) => Promise<any>} importPeer
 * @property {string} [assets] URL below which a page finds the WebAssembly files of peers; undefined in Node
 */

/**
 * Reads the files and imports the runtime; the function that it gives makes the model ready, from memory.
 *
 * @typedef {(job: Job, surroundings: Surroundings) => Promise<() => Promise<ReadyModel>>} Opener
 */

/**
 * @typedef {object} ReadyModel
 * @property {(pictures: Uint8Array, count: number) => Prepared} prepare
 * @property {string} [module] of the engine: the kernels' instructions
 * @property {number} [wasmMegabytes] where it tells
 * @property {number} [threads] on which it runs, where it tells
 */

/**
 * @typedef {object} Prepared
 * @property {() => Promise<unknown>} run classifies the pictures; what is timed
 * @property {() => Promise<Float32Array>} probabilities the same, with all of its outputs `[count,classes]`
 */

/** @type {Record<Runtime, Opener>} */
export const runtimes = {
  engine: openEngine,
  'tfjs-layers': openTfjsLayers,
  'tfjs-graph': openTfjsGraph,
  'onnxruntime-web': openOnnxruntimeWeb,
  'onnxruntime-node': openOnnxruntimeNode,
  litert: openLitert,
};
