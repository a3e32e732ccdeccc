import { fail } from '../../errors';
import type { InferenceConv, InferenceDepthwise, InferenceGraph, InferenceStage } from '../../graph/inferenceGraph';
import { type QuantizedStage, type QuantizeGraphOptions, quantizeGraph } from '../../graph/quantizeGraph';
import { roundHalfEven } from '../../graph/roundHalfEven';
import type { ChainWriter, Operands } from './chainWriter';
import { type FoldedStageWriter, toOnnxKernel } from './foldedStages';
import type { GraphBuilder } from './graphBuilder';
import { roundWeights } from './roundWeights';
import { floatTensor, int8Tensor, int32Tensor, uint8Scalar } from './tensorContent';

/** Levels of an activation above 0, as uint8 has them; the library's own kernels have 127. */
const LEVELS = 255;
const OWN_LEVELS = 127;

/**
 * Rounds weights to int8, with a scale for each channel, and activations to uint8, between QuantizeLinear and
 * DequantizeLinear.
 *
 * Which stages compute in integers, and how high their activations go, is what `quantizeGraph` says.
 * The first stage is float32: zero, with which it pads, is no level of a picture from -1 to 1. From the global average on,
 * and in the last stage, only the weights are rounded.
 *
 * @throws {MobilenetError} `invalid-argument` where a stage cannot be quantised; names its layer
 */
export function int8Writer(
  where: string,
  chain: ChainWriter,
  graph: InferenceGraph,
  options: QuantizeGraphOptions,
): FoldedStageWriter {
  const quantized = quantizeGraph(graph, options);
  if ('unsupported' in quantized) {
    const { layerName, reason } = quantized.unsupported;
    fail({
      code: 'invalid-argument',
      where,
      expected: "a model that can be quantised to 'int8'",
      received: `layer '${layerName}', which ${reason}`,
      remedy: "Take precision: 'float32' or 'float16'.",
    });
  }
  const { stages } = quantized.graph;
  return {
    operands(stage, index, isDense) {
      if (index === 0) return floatOperands(chain, stage, isDense);
      const inputScale = isQuantized(stages[index]!) ? outputScale(stages[index - 1]!) : undefined;
      return roundedOperands(chain, stage, isDense, inputScale);
    },
    end(index) {
      const scale = outputScale(stages[index]!);
      if (scale !== undefined) writeRounding(chain, `${graph.stages[index]!.name}/output`, scale);
    },
  };
}

/** Of a stage's uint8; undefined where its output stays float32. */
function outputScale(stage: QuantizedStage | InferenceStage): number | undefined {
  return isQuantized(stage) ? Math.fround((stage.outputScale * OWN_LEVELS) / LEVELS) : undefined;
}

function isQuantized(stage: QuantizedStage | InferenceStage): stage is QuantizedStage {
  return 'outputScale' in stage;
}

type Stage = InferenceConv | InferenceDepthwise;

function floatOperands({ graph }: ChainWriter, stage: Stage, isDense: boolean): Operands {
  const { data, dims } = toOnnxKernel(stage, stage.kernel, isDense);
  const kernel = graph.weight(`${stage.name}/kernel`, floatTensor('float32', data, dims));
  return { kernel, bias: writeFloatBias(graph, stage) };
}

/** @param inputScale of the uint8 that the stage reads; undefined where it reads floats, which get their bias as floats */
function roundedOperands({ graph }: ChainWriter, stage: Stage, isDense: boolean, inputScale?: number): Operands {
  const { values, scales } = roundWeights(stage, inputScale);
  const kernel = writeKernel(graph, stage, isDense, values, scales);
  if (inputScale === undefined) return { kernel, bias: writeFloatBias(graph, stage) };
  return {
    kernel,
    bias: writeBias(
      graph,
      stage,
      scales.map((scale) => scale * inputScale),
    ),
  };
}

function writeFloatBias(graph: GraphBuilder, { name, bias }: Stage): string {
  return graph.weight(`${name}/bias`, floatTensor('float32', bias));
}

function writeKernel(
  graph: GraphBuilder,
  stage: Stage,
  isDense: boolean,
  levels: Int8Array,
  scales: Float32Array,
): string {
  const name = `${stage.name}/kernel`;
  const { data, dims, axis } = toOnnxKernel(stage, levels, isDense);
  const operands = [
    graph.weight(`${name}_int8`, int8Tensor(data, dims)),
    graph.weight(`${name}_scale`, floatTensor('float32', scales)),
    graph.weight(`${name}_zero`, int8Tensor(new Int8Array(scales.length))),
  ];
  return graph.add('DequantizeLinear', operands, name, { axis: { int: axis } });
}

/** @param units of the products that the bias is added to */
function writeBias(graph: GraphBuilder, { name, bias }: Stage, units: Float32Array): string {
  const levels = Int32Array.from(bias, (value, c) => roundHalfEven(value / units[c]!));
  const operands = [
    graph.weight(`${name}/bias_int32`, int32Tensor(levels)),
    graph.weight(`${name}/bias_scale`, floatTensor('float32', units)),
    graph.weight(`${name}/bias_zero`, int32Tensor(new Int32Array(units.length))),
  ];
  return graph.add('DequantizeLinear', operands, `${name}/bias`, { axis: { int: 0 } });
}

/** Rounds what was made last to uint8, and makes it floats again. */
function writeRounding(chain: ChainWriter, name: string, scale: number): void {
  const operands = [
    chain.graph.weight(`${name}_scale`, floatTensor('float32', [scale], [])),
    chain.graph.constant('zero_point', () => uint8Scalar(0)),
  ];
  chain.append('QuantizeLinear', `${name}_uint8`, operands);
  chain.append('DequantizeLinear', name, operands);
}
