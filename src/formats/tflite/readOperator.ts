import { refuse } from '../../io/refuse';
import type { OperatorReader } from './network';
import { readAdd, readDiv, readMul, readSub } from './readArithmetic';
import { readConv, readDense, readDepthwise } from './readConvolution';
import { readPad } from './readPad';
import { Op } from './schema';

const readers = new Map<number, OperatorReader>([
  [Op.ADD, readAdd],
  [Op.CONV_2D, readConv],
  [Op.DEPTHWISE_CONV_2D, readDepthwise],
  [Op.DIV, readDiv],
  [Op.FULLY_CONNECTED, readDense],
  [Op.MUL, readMul],
  [Op.PAD, readPad],
  [Op.PADV2, readPad],
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

/** They have no weights. */
const weightless: ReadonlySet<number> = new Set([
  Op.AVERAGE_POOL_2D,
  Op.MAXIMUM,
  Op.MEAN,
  Op.MINIMUM,
  Op.RELU,
  Op.RELU6,
  Op.SOFTMAX,
]);

export const readOperator: OperatorReader = (network, operator, input) => {
  const { code, name } = operator;
  const reader = readers.get(code);
  if (reader) reader(network, operator, input);
  else if (weightless.has(code)) network.endBatchNorm();
  else if (!transparent.has(code)) {
    refuse(network.file.where, 'an operator of a MobileNetV1', name, 'Only a MobileNetV1 can be read.');
  }
};
