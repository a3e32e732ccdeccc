import { refuse } from '../../io/refuse';
import type { Constants } from './constants';
import type { OnnxGraph, OnnxNode, OnnxValue } from './schema';

/** The nodes from a network's input to its output, each of which reads what the one before makes. */
export interface Chain {
  readonly input: OnnxValue;
  readonly nodes: readonly OnnxNode[];
}

/** Operations either of whose inputs may be the constant one; of all others it is the first input that is read. */
const TWO_SIDED: ReadonlySet<string> = new Set(['Add', 'Concat', 'Div', 'MatMul', 'Max', 'Min', 'Mul', 'Sub', 'Sum']);

const ONLY_CHAINS = 'Only a MobileNetV1 can be read.';

/**
 * Walks back from the output, so that what nodes make of shapes, beside the chain, is never met.
 *
 * @throws {MobilenetError} `invalid-data` where it is no chain
 */
export function readChain(graph: OnnxGraph, constants: Constants, where: string): Chain {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0] ?? '', node]));
  if (graph.outputs.length !== 1) {
    refuse(where, 'a network with one output', graph.outputs.length, 'Export it with its scores as the only output.');
  }
  const nodes = new Set<OnnxNode>();
  let value = graph.outputs[0]!.name;
  for (;;) {
    const node = producers.get(value);
    const input = inputs.get(value);
    // Old files list weights among the inputs, too.
    if (!node && input && !constants.has(value)) return { input, nodes: [...nodes].reverse() };
    if (!node || nodes.has(node)) {
      refuse(
        where,
        'a chain from the input to the output',
        `${value} of ${node ? 'a circle' : 'no node'}`,
        ONLY_CHAINS,
      );
    }
    nodes.add(node);
    value = readBy(node, constants, where);
  }
}

/** The value that a node reads, beside constants. */
function readBy({ name, op, inputs }: OnnxNode, constants: Constants, where: string): string {
  const candidates = TWO_SIDED.has(op) ? inputs : inputs.slice(0, 1);
  const values = candidates.filter((input) => input !== '' && !constants.has(input));
  if (values.length !== 1) {
    refuse(where, 'a chain of nodes', `${name} (${op}), which reads ${values.length} values`, ONLY_CHAINS);
  }
  return values[0]!;
}
