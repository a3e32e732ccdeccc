import { refuse } from '../../io/refuse';
import { readConstants } from './constants';
import { Network } from './network';
import { readOperator } from './readOperator';
import { Op } from './schema';
import type { TfliteFile, TfliteOperator } from './tfliteFile';

/**
 * Walks from the input to the output; a MobileNetV1 is a chain, each of whose results goes into one operator.
 *
 * No operator is visited twice, so that a file whose operators go in a circle is refused.
 */
export function readChain(file: TfliteFile): Network {
  const { where, output } = file;
  const network = new Network(file, readConstants(file));
  const readers = readersOf(file);
  const visited = new Set<TfliteOperator>();
  let tensor = file.input;
  while (tensor !== output) {
    const next = readers.get(tensor) ?? [];
    const operator = next[0];
    if (!operator || next.length > 1) {
      const found =
        next
          .slice(0, 2)
          .map(({ name }) => name)
          .join(' and ') || 'none';
      refuse(where, 'a chain of operators', `${found} behind ${file.tensor(tensor).name}`, NO_MOBILENET);
    }
    const { name, outputs } = operator;
    if (visited.has(operator)) refuse(where, 'a chain of operators', `a circle by way of ${name}`, NO_MOBILENET);
    visited.add(operator);
    if (outputs.length !== 1) refuse(where, `${name} to have one result`, outputs.length);
    readOperator(network, operator, tensor);
    tensor = outputs[0]!;
  }
  network.endBatchNorm();
  return network;
}

const NO_MOBILENET = 'Only a MobileNetV1 can be read.';

/** By tensor. A SHAPE reads no values: it finds out how many pictures there are, for a RESHAPE. */
function readersOf({ operators }: TfliteFile): Map<number, TfliteOperator[]> {
  const readers = new Map<number, TfliteOperator[]>();
  for (const operator of operators) {
    if (operator.code === Op.SHAPE) continue;
    for (const tensor of new Set(operator.inputs)) {
      const others = readers.get(tensor);
      if (others) others.push(operator);
      else readers.set(tensor, [operator]);
    }
  }
  return readers;
}
