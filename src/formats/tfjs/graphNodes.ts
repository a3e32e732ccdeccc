import { isObject } from '../../io/checkArtifacts';
import { refuse } from '../../io/refuse';

/** A node of a TensorFlow graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** The nodes whose first output it reads. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * The nodes of a graph model's topology by their names, which are protobuf as JSON.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function readNodes(where: string, topology: unknown): Map<string, GraphNode> {
  const list = isObject(topology) ? topology.node : undefined;
  if (!Array.isArray(list)) refuse(where, 'the nodes of a graph model', list);
  const nodes = new Map<string, GraphNode>();
  for (const entry of list) {
    const node = readNode(where, entry);
    if (nodes.has(node.name)) refuse(where, 'nodes whose names differ', `two of the name ${node.name}`);
    nodes.set(node.name, node);
  }
  return nodes;
}

function readNode(where: string, node: unknown): GraphNode {
  if (!isObject(node)) refuse(where, 'nodes that are objects', node);
  const { name, op, input = [], attr = {} } = node;
  const isList = Array.isArray(input) && input.every((one) => typeof one === 'string');
  if (typeof name !== 'string' || typeof op !== 'string' || !isList || !isObject(attr)) {
    refuse(where, 'nodes with name, op, input and attr', node);
  }
  // A name with ^ is one to wait for, and no tensor.
  const tensors = input.filter((one: string) => !one.startsWith('^'));
  return { name, op, inputs: tensors.map((one: string) => nodeOf(where, one)), attributes: attr };
}

/** The node of a tensor `name` or `name:0`. */
function nodeOf(where: string, tensor: string): string {
  const [, name = tensor, output = '0'] = /^(.*):(\d+)$/.exec(tensor) ?? [];
  if (output !== '0') refuse(where, 'a chain, which reads the first output of each node', tensor);
  return name;
}

/** An attribute's text, or undefined. */
export function textAttribute(node: GraphNode, key: string): string | undefined {
  const value = node.attributes[key];
  return isObject(value) ? text(value.s) : undefined;
}

export function textsAttribute(node: GraphNode, key: string): string[] {
  return listAttribute(node, key, 's').map((value) => text(value) ?? '');
}

export function integersAttribute(node: GraphNode, key: string): number[] {
  return listAttribute(node, key, 'i').map(Number);
}

export function numberAttribute(node: GraphNode, key: string): number | undefined {
  const value = node.attributes[key];
  return isObject(value) && typeof value.f === 'number' ? value.f : undefined;
}

export function flagAttribute(node: GraphNode, key: string): boolean {
  const value = node.attributes[key];
  return isObject(value) && value.b === true;
}

function listAttribute({ attributes }: GraphNode, key: string, type: string): unknown[] {
  const value = attributes[key];
  const list = isObject(value) && isObject(value.list) ? value.list[type] : undefined;
  return Array.isArray(list) ? list : [];
}

/** Base64, or the codes of the letters. */
function text(value: unknown): string | undefined {
  if (Array.isArray(value))
    return value.every((code) => code >= 0 && code < 256) ? String.fromCharCode(...value.slice(0, 100)) : undefined;
  if (typeof value !== 'string') return undefined;
  try {
    return atob(value);
  } catch {
    return undefined;
  }
}
