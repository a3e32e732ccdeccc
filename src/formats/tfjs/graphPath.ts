import { refuse } from '../../io/refuse';
import { isKernelOp } from './addNode';
import type { GraphNode } from './graphNodes';

/**
 * The nodes from the input of a graph to its output. Of several outputs it is the one behind the most kernels.
 *
 * @throws {MobilenetError} `invalid-data` where the graph goes in a circle, or is no chain on that way
 */
export function graphPath(where: string, nodes: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const constants = constantNames(nodes);
  const read = new Map<GraphNode, GraphNode | undefined>();
  const isRead = new Set<GraphNode>();
  for (const node of nodes.values()) {
    // What knows no more than a tensor's shape is no way to the output.
    const [input] = node.op === 'Shape' ? [] : dataInputs(where, node, nodes, constants);
    read.set(node, input);
    if (input) isRead.add(input);
  }
  const kernels = countKernels(where, read);
  const outputs = [...nodes.values()].filter((node) => !isRead.has(node) && !constants.has(node.name));
  const most = outputs.reduce((best, node) => Math.max(best, kernels.get(node) ?? 0), 0);
  if (most === 0) refuse(where, 'a graph of convolutions', `${nodes.size} nodes without any`);
  const reversed: GraphNode[] = [];
  for (let node = outputs.find((one) => kernels.get(one) === most); node; node = read.get(node)) {
    const inputs = dataInputs(where, node, nodes, constants);
    // Whatever tells a Reshape the shape is not what flows through it.
    if (inputs.length > 1 && node.op !== 'Reshape') {
      refuse(where, 'a graph that is a chain', `node ${node.name} (${node.op}) with ${inputs.length} inputs`);
    }
    reversed.push(node);
  }
  return reversed.reverse();
}

/** Constants, and copies of constants. */
function constantNames(nodes: ReadonlyMap<string, GraphNode>): Set<string> {
  const isConstant = (name: string | undefined) => name !== undefined && nodes.get(name)?.op === 'Const';
  const isCopy = ({ op, inputs }: GraphNode) => op === 'Identity' && isConstant(inputs[0]);
  const constants = [...nodes.values()].filter((node) => node.op === 'Const' || isCopy(node));
  return new Set(constants.map(({ name }) => name));
}

/** What a node reads that is no constant. */
function dataInputs(
  where: string,
  { name, inputs }: GraphNode,
  nodes: ReadonlyMap<string, GraphNode>,
  constants: ReadonlySet<string>,
): GraphNode[] {
  return inputs.flatMap((input) => {
    const node = nodes.get(input);
    if (!node) refuse(where, `the node ${input}, which ${name} reads`, 'none of that name');
    return constants.has(input) ? [] : [node];
  });
}

/** The number of kernels up to each node, that node among them. */
function countKernels(
  where: string,
  read: ReadonlyMap<GraphNode, GraphNode | undefined>,
): ReadonlyMap<GraphNode, number> {
  const counts = new Map<GraphNode, number>();
  for (const start of read.keys()) {
    const way = new Set<GraphNode>();
    for (let node: GraphNode | undefined = start; node && !counts.has(node); node = read.get(node)) {
      if (way.has(node)) refuse(where, 'a graph without circles', `one through node ${node.name}`);
      way.add(node);
    }
    for (const node of [...way].reverse()) {
      const input = read.get(node);
      const before = input ? counts.get(input)! : 0;
      counts.set(node, before + (isKernelOp(node.op) ? 1 : 0));
    }
  }
  return counts;
}
