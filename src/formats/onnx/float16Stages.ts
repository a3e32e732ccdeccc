import { fail } from '../../errors';
import type { InferenceConv, InferenceDepthwise } from '../../graph/inferenceGraph';
import { MAX_FLOAT16 } from '../../io/float16';
import type { ChainWriter } from './chainWriter';
import { type FoldedStageWriter, toOnnxKernel } from './foldedStages';
import { floatTensor } from './tensorContent';

/** Stores the folded weights as float16. */
export function float16Writer(where: string, { graph }: ChainWriter): FoldedStageWriter {
  return {
    operands(stage, _index, isDense) {
      checkRange(where, stage);
      const { data, dims } = toOnnxKernel(stage, stage.kernel, isDense);
      return {
        kernel: graph.weight(`${stage.name}/kernel`, floatTensor('float16', data, dims)),
        bias: graph.weight(`${stage.name}/bias`, floatTensor('float16', stage.bias)),
      };
    },
  };
}

function checkRange(where: string, { name, kernel, bias }: InferenceConv | InferenceDepthwise): void {
  const isTooLarge = (value: number) => !(Math.abs(value) <= MAX_FLOAT16);
  const value = kernel.find(isTooLarge) ?? bias.find(isTooLarge);
  if (value === undefined) return;
  fail({
    code: 'invalid-argument',
    where,
    expected: `weights of at most ${MAX_FLOAT16}, the largest float16`,
    received: `${value} in layer '${name}', its batch norm folded in`,
    remedy: "Take precision: 'float32'.",
  });
}
