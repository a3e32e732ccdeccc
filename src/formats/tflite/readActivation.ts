import { refuse } from '../../io/refuse';
import { type ActivationStep, clampStep, relu, relu6 } from '../activation';
import { constantOperand } from './constantOperand';
import type { OperatorReader } from './network';
import { Activation, QuantizationField, TensorType } from './schema';
import type { TfliteFile } from './tfliteFile';

/** What an operator does to its result by itself, nothing, ReLU or ReLU6; undefined for nothing. */
export function fusedActivation(where: string, name: string, activation: number): ActivationStep | undefined {
  switch (activation) {
    case Activation.none:
      return undefined;
    case Activation.relu:
      return relu;
    case Activation.relu6:
      return relu6;
    default:
      return refuse(where, `${name} to end in NONE, RELU or RELU6`, `activation ${activation} of TFLite's schema`);
  }
}

/** An operator that does the same to all values. */
export function activation(step: ActivationStep): OperatorReader {
  return (network) => network.activate(step);
}

export const readMinimum = limit((value) => clampStep(Number.NEGATIVE_INFINITY, value));
export const readMaximum = limit((value) => clampStep(value, Number.POSITIVE_INFINITY));

function limit(toStep: (limit: number) => ActivationStep): OperatorReader {
  return (network, operator, input) => {
    const { values } = constantOperand(network, operator, input, { commutes: true });
    const [first = Number.NaN] = values;
    if (!values.every((value) => value === first)) {
      refuse(network.file.where, `${operator.name} with one number for all channels`, values.slice(0, 4).join(', '));
    }
    network.activate(toStep(first));
  };
}

const RANGES = new Map<number, readonly [smallest: number, largest: number]>([
  [TensorType.uint8, [0, 255]],
  [TensorType.int8, [-128, 127]],
  [TensorType.int16, [-32_768, 32_767]],
]);

/** The smallest and largest value of a quantised tensor; undefined for one of floats. */
export function levelsOf(file: TfliteFile, index: number): ActivationStep | undefined {
  const { type, quantization } = file.tensor(index);
  const range = RANGES.get(type);
  if (!range || !quantization) return undefined;
  const [scale = Number.NaN] = quantization.float32s(QuantizationField.scale, 1);
  const [zeroPoint = 0] = quantization.int64s(QuantizationField.zeroPoint, 1);
  const [low, high] = range.map((value) => scale * (value - zeroPoint)) as [number, number];
  return low < high ? { kind: 'levels', low, high } : undefined;
}
