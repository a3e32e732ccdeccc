import { refuse } from '../../io/refuse';
import { type ActivationStep, clampStep } from '../activation';
import type { Network } from './network';
import type { NodeReader } from './readConvolution';
import { ELEMENT } from './schema';

const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

/** A node that does the same to all values. */
export function activation(step: ActivationStep): NodeReader {
  return (network) => network.activate(step);
}

/** Clip; in files before opset 11 its limits are attributes. */
export const readClip: NodeReader = (network, { name, inputs, attributes }) => {
  const [, low, high] = inputs;
  network.activate(
    clampStep(
      low ? numberOf(network, name, low) : (attributes.get('min')?.float ?? NEGATIVE_INFINITY),
      high ? numberOf(network, name, high) : (attributes.get('max')?.float ?? POSITIVE_INFINITY),
    ),
  );
};

export const readMax = limit((value) => clampStep(value, POSITIVE_INFINITY));
export const readMin = limit((value) => clampStep(NEGATIVE_INFINITY, value));

/** Max or Min of a value and constants. */
function limit(toStep: (limit: number) => ActivationStep): NodeReader {
  return (network, { name, inputs }) => {
    for (const input of inputs) {
      if (network.source.constants.has(input)) network.activate(toStep(numberOf(network, name, input)));
    }
  };
}

function numberOf({ source: { where, constants } }: Network, node: string, input: string): number {
  const { data } = constants.floats(input);
  const [first = Number.NaN] = data;
  if (data.length > 0 && data.every((value) => value === first)) return first;
  return refuse(where, `${node} with one number for all channels`, data.slice(0, 4).join(', ') || 'none');
}

/** By the type of the zero point. */
const RANGES = new Map<number, readonly [smallest: number, largest: number]>([
  [ELEMENT.uint8, [0, 255]],
  [ELEMENT.int8, [-128, 127]],
  [ELEMENT.uint16, [0, 65_535]],
  [ELEMENT.int16, [-32_768, 32_767]],
]);

/** QuantizeLinear, for what its result can hold. */
export const readQuantize: NodeReader = (network, { inputs: [, scales = '', zero] }) => {
  const { constants } = network.source;
  const range = RANGES.get(zero ? (constants.typeOf(zero) ?? 0) : ELEMENT.uint8);
  if (!range || !constants.has(scales)) return;
  const [scale = Number.NaN] = constants.floats(scales).data;
  const [zeroPoint = 0] = zero ? constants.floats(zero).data : [];
  const [low, high] = range.map((value) => scale * (value - zeroPoint)) as [number, number];
  if (low < high) network.limit({ kind: 'levels', low, high });
};
