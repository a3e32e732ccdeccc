import type { WeightReader } from '../networkWeights';
import { paddingStyleOf } from '../paddingStyle';
import { readChain } from './readChain';
import { readInputRange } from './readInputRange';
import { readOwnMetadata } from './readOwnMetadata';
import { openTflite } from './tfliteFile';

/**
 * Reads a MobileNetV1 in TFLite's format: of float32, with float16 or int8 weights, or quantised as a whole, in int8 with
 * one scale per channel or in the older uint8 with one per tensor. Quantised weights become the numbers that they stand for.
 *
 * Batch norms are folded in such files; one that a converter has left as MUL and ADD comes as a batch norm of mean 0,
 * variance 1 and epsilon 0.
 *
 * @throws {MobilenetError} `invalid-data`
 * @example
 * ```ts
 * const { layers } = await readTflite({ bytes, where: 'mobilenet_v1_1.0_224.tflite' });
 * console.log(layers.length); // 28, the last one for 1,001 classes
 * ```
 */
export const readTflite: WeightReader = async ({ bytes, where }) => {
  const network = readChain(openTflite(bytes, where));
  const metadata = readOwnMetadata(network.file);
  return {
    format: 'tflite',
    where,
    layers: network.layers,
    padding: paddingStyleOf(network.windows),
    ...metadata,
    inputRange: readInputRange(network, metadata.inputRange),
  };
};
