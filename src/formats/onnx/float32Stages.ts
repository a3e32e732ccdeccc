import type { Stage, StageGraph, WeightRef } from '../../graph/stage';
import type { ChainWriter } from './chainWriter';
import { isDense } from './isDense';
import { HWIO_TO_OIHW, permute } from './permute';
import { floatTensor } from './tensorContent';

/**
 * Writes the stages with the model's own weights, bit for bit: a batch norm stays one, dropout is left out.
 *
 * @param values of the model's weights, in the order of `graph.weights`
 */
export function writeFloat32Stages(chain: ChainWriter, graph: StageGraph, values: readonly Float32Array[]): void {
  for (const stage of graph.stages) {
    writeOperation(chain, stage, graph, values);
    writeBatchNorm(chain, stage, graph, values);
    chain.clamp(stage.batchNorm?.name ?? stage.name, stage.clamp);
  }
}

function writeOperation(chain: ChainWriter, stage: Stage, graph: StageGraph, values: readonly Float32Array[]): void {
  if (stage.kind === 'pool') chain.pool(stage.name);
  if (stage.kind === 'pool' || stage.kind === 'dropout' || !stage.kernel) return;
  const { kernel: ref, bias: biasRef, input, output, window } = stage;
  const { name } = graph.weights[ref.index]!;
  const data = values[ref.index]!;
  const weight = (dims: readonly number[], numbers: Float32Array) =>
    chain.graph.weight(name, floatTensor('float32', numbers, dims));
  const bias = biasRef && vector(chain, graph, values, biasRef);
  if (isDense(stage, graph)) {
    const inputs = data.length / output.channels;
    chain.connect(stage, { kernel: weight([inputs, output.channels], data), bias });
    return;
  }
  const { kernelHeight: height, kernelWidth: width } = window;
  const rows = stage.kind === 'conv' ? input.channels : 1;
  const kernel = permute(data, [height, width, rows, output.channels], HWIO_TO_OIHW);
  const operands = { kernel: weight([output.channels, rows, height, width], kernel), bias };
  chain.convolve(stage, operands, stage.kind === 'conv' ? 1 : input.channels);
}

function writeBatchNorm(
  chain: ChainWriter,
  { batchNorm, output: { channels } }: Stage,
  graph: StageGraph,
  values: readonly Float32Array[],
): void {
  if (!batchNorm) return;
  const { name, gamma, beta, movingMean, movingVariance, epsilon } = batchNorm;
  const or = (ref: WeightRef | undefined, otherwise: number, weightName: string) =>
    ref
      ? vector(chain, graph, values, ref)
      : chain.graph.weight(`${name}/${weightName}`, floatTensor('float32', new Float32Array(channels).fill(otherwise)));
  const weights = [
    or(gamma, 1, 'gamma'),
    or(beta, 0, 'beta'),
    vector(chain, graph, values, movingMean),
    vector(chain, graph, values, movingVariance),
  ];
  chain.normalize(name, weights, epsilon);
}

function vector(
  chain: ChainWriter,
  { weights }: StageGraph,
  values: readonly Float32Array[],
  { index }: WeightRef,
): string {
  return chain.graph.weight(weights[index]!.name, floatTensor('float32', values[index]!));
}
