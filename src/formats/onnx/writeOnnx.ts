import type { LayersModel } from '@tensorflow/tfjs-layers';
import { version } from '../../../package.json';
import { foldBatchNorm } from '../../graph/foldBatchNorm';
import type { StageGraph } from '../../graph/stage';
import { getModelMetadata, type ModelMetadata } from '../../model/metadata';
import { paddingOf } from '../checkPadding';
import { writeMetadata } from '../fileMetadata';
import { loadPackage } from '../loadPackage';
import { chainOf } from '../modelLayers';
import { ChainWriter } from './chainWriter';
import { encodeModel } from './encodeModel';
import { float16Writer } from './float16Stages';
import { writeFloat32Stages } from './float32Stages';
import { writeFoldedStages } from './foldedStages';
import { GraphBuilder } from './graphBuilder';
import { int8Writer } from './int8Stages';
import { isDense } from './isDense';
import { observeRanges } from './observeRanges';
import { writePicture } from './picture';
import { ELEMENT, type OnnxValue } from './schema';
import type { OnnxSettings } from './settings';

const WHERE = 'exportOnnx';

/** The ONNX file of a model that is the chain `graph`. */
export async function writeOnnx(
  model: LayersModel,
  graph: StageGraph,
  settings: OnnxSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const pbf = await loadPackage(WHERE, 'pbf', () => import('pbf'));
  const values = await Promise.all(model.weights.map((weight) => weight.read().data<'float32'>()));
  const inputName = model.inputNames[0]!;
  const outputName = model.outputNames[0]!;
  const builder = new GraphBuilder([inputName, outputName]);
  const picture = writePicture(builder, inputName, graph.input, settings);
  const chain = new ChainWriter(builder, picture, graph.input, 'float32');
  await writeStages(chain, graph, values, settings, getModelMetadata(model));
  const outputSizes = end(chain, model, graph, settings);
  return encodeModel(pbf, {
    irVersion: irVersion(settings.opset),
    opset: settings.opset,
    producerName: 'mobilenet-v1-ts',
    producerVersion: version,
    graph: {
      name: model.name,
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: [inputValue(inputName, graph, settings)],
      outputs: [{ name: outputName, type: ELEMENT.float32, dims: [batchSize(settings), ...outputSizes] }],
    },
    metadata: metadataOf(model, settings),
  });
}

async function writeStages(
  chain: ChainWriter,
  graph: StageGraph,
  values: readonly Float32Array[],
  { precision, calibration, inputRange }: OnnxSettings,
  metadata: ModelMetadata,
): Promise<void> {
  if (precision === 'float32') {
    writeFloat32Stages(chain, graph, values);
    return;
  }
  const folded = foldBatchNorm(graph, values);
  const dense = new Set(
    graph.stages.filter((stage) => 'window' in stage && isDense(stage, graph)).map(({ name }) => name),
  );
  if (precision === 'float16') {
    chain.cast('float16');
    writeFoldedStages(chain, folded, dense, float16Writer(WHERE, chain));
    chain.cast('float32');
    return;
  }
  const observing = { where: WHERE, inputRange, resizing: metadata };
  const ranges = calibration && (await observeRanges(folded, calibration, observing));
  writeFoldedStages(chain, folded, dense, int8Writer(WHERE, chain, folded, { inputRange, ranges }));
}

/** Writes what is behind the last stage; gives the output's sizes without the batch. */
function end(chain: ChainWriter, model: LayersModel, graph: StageGraph, { inputLayout }: OnnxSettings): number[] {
  const { height, width, channels } = graph.stages.at(-1)!.output;
  const output = model.outputNames[0]!;
  if (graph.outputKind === 'probabilities') chain.softmax(output);
  if (model.outputs[0]!.shape.length === 4) {
    chain.endInMap(output, inputLayout);
    return inputLayout === 'NHWC' ? [height, width, channels] : [channels, height, width];
  }
  chain.endInVector(output);
  return [height * width * channels];
}

function inputValue(name: string, { input }: StageGraph, settings: OnnxSettings): OnnxValue {
  const { height, width, channels } = input;
  const sizes = settings.inputLayout === 'NHWC' ? [height, width, channels] : [channels, height, width];
  const type = settings.embedPreprocessing ? ELEMENT.uint8 : ELEMENT.float32;
  return { name, type, dims: [batchSize(settings), ...sizes] };
}

function batchSize({ dynamicBatch }: OnnxSettings): number | string {
  return dynamicBatch ? 'N' : 1;
}

/** The version of the file format that came with a version of the operators, as in docs/Versioning.md of ONNX. */
function irVersion(opset: number): number {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

/** What the model knows of its pictures and classes, each entry as JSON; the size is the input's. */
function metadataOf(model: LayersModel, { embedPreprocessing, inputRange }: OnnxSettings): Map<string, string> {
  const ofPictures = writeMetadata({ ...getModelMetadata(model), ...(embedPreprocessing && { inputRange }) });
  // On even maps windows alone do not tell 'keras' from 'same'.
  const metadata = { ...ofPictures, padding: paddingOf(model, chainOf(WHERE, model)) };
  const known = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return new Map(known.map(([key, value]) => [key, JSON.stringify(value)]));
}
