import { refuse } from '../../io/refuse';
import type { OperatorReader } from './network';

/** PAD, or PADV2 with a value of 0: rows and columns of zeros, which wait for the convolution. */
export const readPad: OperatorReader = (network, { name, inputs }) => {
  const { file, constants } = network;
  const [, amounts = -1, value = -1] = inputs;
  const sides = constants.integers(amounts, 8);
  const [, , top, bottom, left, right] = sides;
  const isOfPicture = sides.length === 8 && [0, 1, 6, 7].every((side) => sides[side] === 0);
  if (!isOfPicture || sides.some((amount) => amount < 0)) {
    refuse(file.where, `${name} to pad height and width of [N,H,W,C]`, `[${sides}]`);
  }
  if (value >= 0 && constants.floats(value).data.some((zero) => zero !== 0)) {
    refuse(file.where, `${name} to pad with zeros`, 'another value');
  }
  network.pad({ top: top!, bottom: bottom!, left: left!, right: right! });
};
