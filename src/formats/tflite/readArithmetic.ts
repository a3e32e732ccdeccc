import { constantOperand } from './constantOperand';
import type { OperatorReader } from './network';
import { fusedActivation } from './readActivation';
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
    const { name, values } = constantOperand(network, operator, input, { commutes });
    network.scale(name, ...terms(values));
    const activation = operator.options(optionsType)?.int8(ArithmeticField.activation) ?? Activation.none;
    network.activate(fusedActivation(network.file.where, operator.name, activation));
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
