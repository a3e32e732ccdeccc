import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { loadWeights, mobilenetV1, setModelMetadata } from '../../index';
import type { Session } from '../session';
import { openModel } from '../shared/models';
import { describesNetwork, toNetwork } from '../shared/networkOptions';
import type { ConvertOptions } from './convertOptions';
import { isWeightFile } from './formats';

/** A model with its network, or the weights of a file in the network that options describe. */
export async function openConvertible(options: ConvertOptions, { signal }: Session): Promise<LayersModel> {
  const { source, head, labels } = options;
  const classNames = labels === undefined ? undefined : await readLabels(labels);
  const isWeights = isWeightFile(source) || describesNetwork(options) || head !== undefined;
  const model = isWeights ? await readWeights(options, classNames, signal) : await openModel(source, signal);
  if (classNames) setModelMetadata(model, { classNames });
  return model;
}

async function readWeights(
  options: ConvertOptions,
  classNames: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<LayersModel> {
  const { source, head } = options;
  const model = mobilenetV1({ ...(classNames && { classes: classNames.length }), ...toNetwork(options) });
  try {
    const { metadata } = await loadWeights(model, source, { ...(head !== undefined && { head }), signal });
    setModelMetadata(model, metadata);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A name a line; empty lines are none. */
async function readLabels(path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await platform.readFile(path));
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
