import { refuse } from '../../io/refuse';
import type { Network } from './network';
import type { TfliteOperator } from './tfliteFile';

/**
 * The constant that an operator of two operands reads beside the result before it; refuses any other operator.
 *
 * @param input the tensor of that result
 * @param commutes whether the constant may come first
 */
export function constantOperand(
  { file, constants }: Network,
  { name, inputs }: TfliteOperator,
  input: number,
  { commutes }: { readonly commutes: boolean },
): { readonly name: string; readonly values: Float32Array } {
  const [first, second] = inputs;
  const other = first === input ? second : first;
  if (inputs.length !== 2 || other === undefined || !constants.has(other) || (other === first && !commutes)) {
    const remedy = 'Only a MobileNetV1 can be read.';
    refuse(file.where, `${name} of the result before it and a constant`, 'another one', remedy);
  }
  return { name: file.tensor(other).name, values: constants.floats(other).data };
}
