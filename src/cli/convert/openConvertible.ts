import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { loadWeights, MobilenetError, mobilenetV1, setModelMetadata } from '../../index';
import type { Session } from '../session';
import { openModel } from '../shared/models';
import { describesNetwork, toNetwork } from '../shared/networkOptions';
import type { ConvertOptions } from './convertOptions';
import { isWeightFile } from './formats';

/** A model with its network, or the weights of a file in the network that options describe. */
export async function openConvertible(options: ConvertOptions, { signal }: Session): Promise<LayersModel> {
  const { source, head, labels } = options;
  const classNames = labels === undefined ? undefined : await readLabels(labels, options);
  const isWeights = isWeightFile(source) || describesNetwork(options) || head !== undefined;
  const model = isWeights ? await readWeights(options, classNames, signal) : await openModel(source, signal);
  if (classNames) nameClasses(model, classNames, labels!);
  return model;
}

/** Gives a model the names of its classes; where there are more or fewer, the model is gone. */
function nameClasses(model: LayersModel, classNames: readonly string[], labels: string): void {
  const classes = model.outputs[0]!.shape.at(-1);
  if (classNames.length !== classes) {
    model.dispose();
    const expected = `a name for each of the model's ${classes} classes, one a line`;
    throw new MobilenetError('invalid-argument', `${labels}: expected ${expected}, received ${classNames.length}.`);
  }
  setModelMetadata(model, { classNames });
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

/** A name a line; empty lines are none. Where the background is dropped, so is its name, the first one of TF-slim's. */
async function readLabels(path: string, { head, classes = 1000 }: ConvertOptions): Promise<string[]> {
  const text = new TextDecoder().decode(await platform.readFile(path));
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return head === 'dropBackground' && names.length === classes + 1 ? names.slice(1) : names;
}
