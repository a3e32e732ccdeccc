import type { OnnxAttribute, OnnxNode, OnnxTensor } from './schema';
import type { TensorContent } from './tensorContent';

/** Gathers nodes and initializers, and sees to it that no two nodes and no two values have the same name. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly nodeNames = new Set<string>();
  private readonly valueNames: Set<string>;
  private readonly constants = new Map<string, string>();

  /** @param reserved names of values that this builder must not give */
  constructor(reserved: readonly string[]) {
    this.valueNames = new Set(reserved);
  }

  /** Adds a node with one output, and gives the output's name: `name`, or one like it where that is taken. */
  add(op: string, inputs: readonly string[], name: string, attributes: Record<string, OnnxAttribute> = {}): string {
    const output = unique(name, this.valueNames);
    const entries = new Map(Object.entries(attributes));
    this.nodes.push({
      name: unique(name, this.nodeNames),
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes: entries,
    });
    return output;
  }

  /** Adds a weight, and gives its name. */
  weight(name: string, content: TensorContent): string {
    const given = unique(name, this.valueNames);
    this.initializers.push({ name: given, ...content });
    return given;
  }

  /** The name of a constant that all nodes share which ask for it by this name. */
  constant(name: string, make: () => TensorContent): string {
    const known = this.constants.get(name);
    if (known !== undefined) return known;
    const made = this.weight(name, make());
    this.constants.set(name, made);
    return made;
  }

  /** Lets a value be known by a reserved name. */
  finish(value: string, output: string): void {
    const isMadeLast = this.nodes.at(-1)?.outputs[0] === value;
    const last = isMadeLast ? this.nodes.pop() : undefined;
    const identity = { name: output, op: 'Identity', domain: '', inputs: [value], attributes: new Map() };
    this.nodes.push({ ...(last ?? identity), outputs: [output] });
  }
}

/** The name, or one like it that is not yet taken; it is taken then. */
function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let i = 1; taken.has(free); i++) free = `${name}_${i}`;
  taken.add(free);
  return free;
}
