import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { StageGraph } from '../../graph/stage';
import { getModelMetadata } from '../../model/metadata';
import { METADATA_KEY, writeMetadata } from '../fileMetadata';
import { loadPackage } from '../loadPackage';
import { chainOf } from '../modelLayers';
import { encodeNormalization } from './encodeNormalization';
import { encodeTflite } from './encodeTflite';
import { GraphPlan } from './graphPlan';
import { layerPaddings } from './layerPaddings';
import { NetworkWriter } from './networkWriter';
import { METADATA_ENTRY } from './schema';
import { writeStages } from './writeStages';

const WHERE = 'exportTflite';

/** What {@link writeTflite} needs to know beside the model. */
export interface TfliteSettings {
  readonly batch: number;
  readonly weights: 'float32' | 'float16';
}

/** The TFLite file of a model that is the chain `stages`. */
export async function writeTflite(
  model: LayersModel,
  stages: StageGraph,
  settings: TfliteSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const { Builder } = await loadPackage(WHERE, 'flatbuffers', () => import('flatbuffers'));
  const values = await Promise.all(model.weights.map((weight) => weight.read().data<'float32'>()));
  const input = model.inputNames[0]!;
  const output = model.outputNames[0]!;
  const graph = new GraphPlan();
  const writer = new NetworkWriter(graph, { name: input, ...stages.input }, settings);
  writeStages(writer, stages, values, layerPaddings(chainOf(WHERE, model)));
  const shape = model.outputs[0]!.shape.slice(1) as number[];
  if (stages.outputKind === 'probabilities') {
    // It is taken over the last axis, which a Reshape behind it may have made another one.
    const { height, width, channels } = stages.stages.at(-1)?.output ?? stages.input;
    const classes = height * width * channels;
    if (shape.at(-1) === classes) writer.reshape(`${output}/reshape`, shape);
    else writer.reshape(`${output}/classes`, [classes]);
    writer.softmax(`${output}/softmax`);
  }
  writer.reshape(`${output}/reshape`, shape);
  const outputTensor = writer.finish(output);

  const { name } = model;
  const { inputRange, inputShape, ...others } = getModelMetadata(model);
  const own = { ...writeMetadata({ inputRange, ...others }), inputShape };
  const metadata = new Map([[METADATA_KEY, new TextEncoder().encode(JSON.stringify(own))]]);
  if (inputRange) {
    const { channels } = stages.input;
    const normalization = encodeNormalization(new Builder(), { name, input, output, inputRange, channels });
    metadata.set(METADATA_ENTRY, normalization);
  }
  const { tensors, operators } = graph;
  const plan = { name, tensors, operators, input: 0, output: outputTensor, metadata };
  return encodeTflite((bytes) => new Builder(bytes), plan);
}
