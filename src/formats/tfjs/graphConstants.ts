import { decodeFloats } from '../../io/decodeFloats';
import type { ManifestWeights } from '../../io/readModelFiles';
import { refuse } from '../../io/refuse';
import { splitWeights } from '../../io/splitWeights';
import type { Values } from '../networkWeights';
import type { GraphNode } from './graphNodes';

/** The constants of a graph, whose values are in the manifest. */
export class GraphConstants {
  private readonly entries;

  constructor(
    private readonly where: string,
    private readonly nodes: ReadonlyMap<string, GraphNode>,
    { weightSpecs, weightData }: ManifestWeights,
  ) {
    this.entries = new Map(splitWeights(where, weightSpecs, weightData).map((entry) => [entry[0].name, entry]));
  }

  /** Input `index` of a node, which must be float32. */
  floats(node: GraphNode, index: number): Values {
    const [spec, bytes] = this.entryOf(node, index);
    return { shape: spec.shape, data: decodeFloats(this.where, spec, bytes) };
  }

  /** Whether input `index` of a node is a constant. */
  has({ inputs }: GraphNode, index: number): boolean {
    return this.entries.has(this.origin(inputs[index] ?? ''));
  }

  /** Input `index` of a node, as far as it is a plain int32. */
  integers(node: GraphNode, index: number): number[] {
    const [{ name, dtype, quantization }, bytes] = this.entryOf(node, index);
    if (dtype !== 'int32' || quantization) refuse(this.where, `the constant ${name} to be int32`, dtype);
    return [...new Int32Array(bytes)];
  }

  private entryOf({ name, inputs }: GraphNode, index: number) {
    const entry = this.entries.get(this.origin(inputs[index] ?? ''));
    return entry ?? refuse(this.where, `a constant for input ${index} of node ${name}`, inputs[index]);
  }

  /** What a copy is a copy of. */
  private origin(name: string): string {
    const node = this.nodes.get(name);
    return node?.op === 'Identity' ? (node.inputs[0] ?? name) : name;
  }
}
