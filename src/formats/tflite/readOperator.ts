import { refuse } from '../../io/refuse';
import { relu, relu6, softmax } from '../activation';
import type { OperatorReader } from './network';
import { activation, levelsOf, readMaximum, readMinimum } from './readActivation';
import { readAdd, readDiv, readMul, readSub } from './readArithmetic';
import { readConv, readDense, readDepthwise } from './readConvolution';
import { readPad } from './readPad';
import { Op } from './schema';

/** A mean, of all pixels. */
const pool: OperatorReader = (network) => network.endBatchNorm();

const readers = new Map<number, OperatorReader>([
  [Op.ADD, readAdd],
  [Op.AVERAGE_POOL_2D, pool],
  [Op.CONV_2D, readConv],
  [Op.DEPTHWISE_CONV_2D, readDepthwise],
  [Op.DIV, readDiv],
  [Op.FULLY_CONNECTED, readDense],
  [Op.MAXIMUM, readMaximum],
  [Op.MEAN, pool],
  [Op.MINIMUM, readMinimum],
  [Op.MUL, readMul],
  [Op.PAD, readPad],
  [Op.PADV2, readPad],
  [Op.RELU, activation(relu)],
  [Op.RELU6, activation(relu6)],
  [Op.SOFTMAX, activation(softmax)],
  [Op.SUB, readSub],
]);

/** They leave numbers as they are, so that a batch norm may go on behind them. */
const transparent: ReadonlySet<number> = new Set([
  Op.CAST,
  Op.DEQUANTIZE,
  Op.EXPAND_DIMS,
  Op.QUANTIZE,
  Op.RESHAPE,
  Op.SQUEEZE,
]);

export const readOperator: OperatorReader = (network, operator, input) => {
  const { code, name, outputs } = operator;
  const { file } = network;
  const reader = readers.get(code);
  if (reader) {
    reader(network, operator, input);
    network.limit(levelsOf(file, outputs[0]!));
  } else if (!transparent.has(code)) {
    refuse(file.where, 'an operator of a MobileNetV1', name, 'Only a MobileNetV1 can be read.');
  }
};
