import type { InferenceGraph } from '../../graph/inferenceGraph';
import type { QuantizedGraph } from '../../graph/quantizeGraph';
import type { ConvWindow } from '../../graph/stage';
import { isPointwise } from '../../graph/window';
import { rowsPerBlock } from '../blocking';
import { BYTES_PER_VALUE, OVERHANG_ROWS, type TensorPlan } from './tensors';
import type { AnyStage, Conv, Depthwise, OperatorPlan, WeightBlock } from './weightBlock';

interface PassBase {
  /** Of the stages that the pass runs. */
  readonly name: string;
  readonly input: TensorPlan;
  readonly output: TensorPlan;
}

/** A depthwise convolution. */
export interface DepthwisePass extends PassBase {
  readonly kind: 'depthwise';
  readonly operator: OperatorPlan;
  readonly window: ConvWindow;
  readonly multiplier: number;
}

/** A convolution: rows times weights. */
export interface ProductPass extends PassBase {
  readonly kind: 'product';
  readonly operator: OperatorPlan;
  /** Where rows come from: the input's pixels, patches of them, or a depthwise convolution that is made on the way. */
  readonly rows: 'pixels' | { readonly patches: ConvWindow } | { readonly depthwise: DepthwisePass };
  /** Values of a row, padded. */
  readonly depth: number;
  readonly rowBytes: number;
  /** Rows that are worked through at a time, so that they stay in the cache. */
  readonly blockRows: number;
  /** Of memory in which a block's rows are made. */
  readonly stagingBytes: number;
}

/** The mean of each channel. */
export interface PoolPass extends PassBase {
  readonly kind: 'pool';
}

/** From uint8 to float32. */
export interface DequantizePass extends PassBase {
  readonly kind: 'dequantize';
}

export type Pass = ProductPass | DepthwisePass | PoolPass | DequantizePass;

/** Turns stages into passes, each of which reads the tensor that the one before wrote; offsets are given later. */
export function layOutPasses(
  graph: InferenceGraph | QuantizedGraph,
  block: WeightBlock,
  fuse: boolean,
): { input: TensorPlan; passes: Pass[] } {
  const isQuantized = 'inputScale' in graph;
  const padded = (channels: number) => roundUp(channels, isQuantized ? 16 : 8);
  const input: TensorPlan = {
    type: isQuantized ? 'int16' : 'float32',
    size: graph.input,
    // A picture's three channels go into a convolution as one vector of 4.
    channels: isConv(graph.stages[0]) ? roundUp(graph.input.channels, 4) : padded(graph.input.channels),
    scale: isQuantized ? graph.inputScale : 1,
    offset: 0,
  };
  const passes: Pass[] = [];
  let tensor = input;
  const add = (pass: Pass) => {
    passes.push(pass);
    tensor = pass.output;
  };
  const outputOf = (stage: AnyStage): TensorPlan => ({
    ...('outputScale' in stage ? { type: 'uint8', scale: stage.outputScale } : { type: 'float32', scale: 1 }),
    size: stage.output,
    channels: padded(stage.output.channels),
    offset: 0,
  });

  const { stages } = graph;
  for (let i = 0; i < stages.length; i++) {
    const stage = stages[i]!;
    const { name } = stage;
    if (stage.kind === 'pool') {
      add({ kind: 'pool', name, input: tensor, output: outputOf(stage) });
      continue;
    }
    if (tensor.type === 'uint8' && !('outputScale' in stage)) {
      add({ kind: 'dequantize', name, input: tensor, output: { ...tensor, type: 'float32', scale: 1 } });
    }
    if (isConv(stage)) {
      add(productPass(block, stage, tensor, outputOf(stage)));
      continue;
    }
    const depthwise = depthwisePass(block, stage, tensor, outputOf(stage));
    const next = stages[i + 1];
    if (fuse && isConv(next) && isPointwise(next) && isInt8(next) === isInt8(stage)) {
      add(productPass(block, next, depthwise.output, outputOf(next), depthwise));
      i += 1;
    } else {
      add(depthwise);
    }
  }
  return { input, passes };
}

function depthwisePass(block: WeightBlock, stage: Depthwise, input: TensorPlan, output: TensorPlan): DepthwisePass {
  const { name, window, multiplier } = stage;
  const operator = block.addDepthwise(stage, output.channels);
  return { kind: 'depthwise', name, input, output, operator, window, multiplier };
}

function productPass(
  block: WeightBlock,
  stage: Conv,
  input: TensorPlan,
  output: TensorPlan,
  depthwise?: DepthwisePass,
): ProductPass {
  const { name, window } = stage;
  const bytesPerValue = BYTES_PER_VALUE[input.type];
  // Rows are packed in words of 4 bytes, four at a time.
  const rowBytes = roundUp(window.kernelHeight * window.kernelWidth * input.channels * bytesPerValue, 16);
  const depth = rowBytes / bytesPerValue;
  const blockRows = rowsPerBlock(rowBytes / 4);
  const staging = { stagingBytes: (blockRows + OVERHANG_ROWS) * rowBytes };
  const common = { kind: 'product', name, output, depth, rowBytes, blockRows } as const;
  const operator = block.addConv(stage, input, depth, output.channels);
  if (depthwise) return { ...common, ...staging, input: depthwise.input, operator, rows: { depthwise } };
  // A picture's int16 pixels may be shorter than a row.
  const pixelBytes = input.channels * bytesPerValue;
  if (isPointwise(stage) && pixelBytes === rowBytes) {
    return { ...common, input, operator, rows: 'pixels', stagingBytes: 0 };
  }
  return { ...common, ...staging, input, operator, rows: { patches: window } };
}

function isConv(stage: AnyStage | undefined): stage is Conv {
  return stage?.kind === 'conv' || stage?.kind === 'int8Conv';
}

function isInt8(stage: AnyStage): boolean {
  return 'outputScale' in stage;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
