import { refuse } from '../../io/refuse';
import { checkActivation } from './checkActivation';
import type { OperatorReader } from './network';
import { Activation, ArithmeticField, OptionsType } from './schema';

/**
 * MUL, ADD, SUB and DIV by constants: a batch norm that a converter has not folded, or the preparation of pictures.
 *
 * @param terms of `factor * x + term`, given the constants
 */
function arithmetic(
  optionsType: number,
  terms: (constants: Float32Array) => readonly [factor: ArrayLike<number>, term: ArrayLike<number>],
  { commutes }: { readonly commutes: boolean },
): OperatorReader {
  return (network, operator, input) => {
    const { file, constants } = network;
    const { name, inputs } = operator;
    const [first, second] = inputs;
    const other = first === input ? second : first;
    if (inputs.length !== 2 || other === undefined || !constants.has(other) || (other === first && !commutes)) {
      const remedy = 'Only a MobileNetV1 can be read.';
      refuse(file.where, `${name} of the result before it and a constant`, 'another one', remedy);
    }
    const { data } = constants.floats(other);
    network.scale(file.tensor(other).name, ...terms(data));
    const activation = operator.options(optionsType)?.int8(ArithmeticField.activation) ?? Activation.none;
    checkActivation(file.where, name, activation);
    if (activation !== Activation.none) network.endBatchNorm();
  };
}

const zero = [0];
const one = [1];

export const readMul = arithmetic(OptionsType.mul, (factor) => [factor, zero], { commutes: true });
export const readAdd = arithmetic(OptionsType.add, (term) => [one, term], { commutes: true });
export const readDiv = arithmetic(OptionsType.div, (by) => [Float64Array.from(by, (value) => 1 / value), zero], {
  commutes: false,
});
export const readSub = arithmetic(OptionsType.sub, (term) => [one, term.map((value) => -value)], { commutes: false });
