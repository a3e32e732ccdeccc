import type { InferenceConv, InferenceDepthwise, InferenceGraph } from '../../graph/inferenceGraph';
import type { ChainWriter, Operands } from './chainWriter';
import { HWIO_TO_OIHW, permute } from './permute';

/** A kernel as ONNX has it: `[F,C,KH,KW]` of a convolution, `[C*M,1,KH,KW]` of a depthwise one, `[C,F]` of a dense layer. */
export interface OnnxKernel<Values> {
  readonly data: Values;
  readonly dims: readonly number[];
  /** The axis of the output channels. */
  readonly axis: number;
}

/** How a precision stores weights, and what it does to what a stage puts out. */
export interface FoldedStageWriter {
  operands(stage: InferenceConv | InferenceDepthwise, index: number, isDense: boolean): Operands;
  /** Called when a stage is complete. */
  end?(index: number): void;
}

/** Writes the stages of a model whose batch norms are folded. */
export function writeFoldedStages(
  chain: ChainWriter,
  { stages }: InferenceGraph,
  denseNames: ReadonlySet<string>,
  writer: FoldedStageWriter,
): void {
  for (const [index, stage] of stages.entries()) {
    if (stage.kind === 'pool') {
      chain.pool(stage.name);
    } else {
      // Layers of nested models may share a name.
      const isDense = denseNames.has(stage.name) && isWhole(stage);
      const operands = writer.operands(stage, index, isDense);
      if (isDense) chain.connect(stage, operands);
      else chain.convolve(stage, operands, stage.kind === 'conv' ? 1 : stage.input.channels);
      chain.clamp(stage.name, stage.clamp);
    }
    writer.end?.(index);
  }
}

/** Whether a stage has one window, which is the whole feature map. */
function isWhole({ kind, window, input, output }: InferenceConv | InferenceDepthwise): boolean {
  const { kernelHeight, kernelWidth } = window;
  const isOne = output.height === 1 && output.width === 1;
  return kind === 'conv' && isOne && kernelHeight === input.height && kernelWidth === input.width;
}

/** Brings a kernel of a stage, or what it was rounded to, into ONNX's order. */
export function toOnnxKernel<Values extends Float32Array | Int8Array>(
  { kind, window, input, output }: InferenceConv | InferenceDepthwise,
  kernel: Values,
  isDense: boolean,
): OnnxKernel<Values> {
  const { channels } = output;
  if (isDense) return { data: kernel, dims: [kernel.length / channels, channels], axis: 1 };
  const { kernelHeight: height, kernelWidth: width } = window;
  const rows = kind === 'conv' ? input.channels : 1;
  const data = permute(kernel, [height, width, rows, channels], HWIO_TO_OIHW);
  return { data, dims: [channels, rows, height, width], axis: 0 };
}
