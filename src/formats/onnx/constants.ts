import { refuse } from '../../io/refuse';
import type { Values } from '../networkWeights';
import { type Decoded, decodeTensor } from './decodeTensor';
import { dequantize } from './dequantize';
import { permute } from './permute';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './schema';

/** Values that may be read beyond one for each byte of the file: small vectors are often shared by several nodes. */
const SHARED_VALUES = 2 ** 20;
/** Operations that stand between a weight and the node that reads it. */
const MAX_DEPTH = 8;

/** Operations that are carried out on constants; they read their first input. */
const OPERATIONS: ReadonlySet<string> = new Set(['Cast', 'DequantizeLinear', 'Identity', 'Transpose']);

/** What is known of a graph without any picture: its initializers, and what some nodes make of them. */
export class Constants {
  private readonly initializers: ReadonlyMap<string, OnnxTensor>;
  private readonly producers: ReadonlyMap<string, OnnxNode>;
  private left: number;

  /** @param bytes of the file */
  constructor(
    graph: OnnxGraph,
    bytes: number,
    private readonly where: string,
  ) {
    this.initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    this.producers = new Map(graph.nodes.flatMap((node) => node.outputs.slice(0, 1).map((output) => [output, node])));
    this.left = bytes + SHARED_VALUES;
  }

  has(name: string, depth = 0): boolean {
    if (this.initializers.has(name)) return true;
    const node = this.producers.get(name);
    if (node?.op === 'Constant') return true;
    return (
      depth < MAX_DEPTH && node !== undefined && OPERATIONS.has(node.op) && this.has(node.inputs[0] ?? '', depth + 1)
    );
  }

  /** The data type of an initializer or a Constant, one of {@link ELEMENT} or another; undefined for all else. */
  typeOf(name: string): number | undefined {
    const tensor = this.initializers.get(name) ?? this.producers.get(name)?.attributes.get('value')?.tensor;
    return tensor?.type;
  }

  /** An array of its own. */
  floats(name: string): Values {
    const { shape, data } = this.read(name, 0);
    return { shape, data: Float32Array.from(data) };
  }

  integers(name: string): readonly number[] {
    const { data } = this.read(name, 0);
    return Array.from(data);
  }

  private read(name: string, depth: number): Decoded {
    const initializer = this.initializers.get(name);
    if (initializer) return this.decode(initializer);
    const node = this.producers.get(name);
    if (node?.op === 'Constant') return this.constant(node);
    if (!node || depth >= MAX_DEPTH || !OPERATIONS.has(node.op)) {
      refuse(
        this.where,
        `${name || 'an input'} to be a constant`,
        node ? `what ${node.op} makes` : 'none',
        'Freeze the model.',
      );
    }
    const [first, scales, zeros] = node.inputs;
    const operand = this.read(first ?? '', depth + 1);
    if (node.op === 'Transpose') return this.transpose(node, operand);
    if (node.op !== 'DequantizeLinear') return operand;
    const quantized = {
      name: node.name,
      levels: operand,
      scales: this.read(scales ?? '', depth + 1).data,
      zeros: zeros ? this.read(zeros, depth + 1).data : [0],
      axis: node.attributes.get('axis')?.int ?? 1,
    };
    return dequantize(quantized, this.where);
  }

  private decode(tensor: OnnxTensor): Decoded {
    const decoded = decodeTensor(tensor, this.where);
    this.left -= decoded.data.length;
    if (this.left < 0) refuse(this.where, 'weights of their own for each layer', `${tensor.name} again and again`);
    return decoded;
  }

  private constant({ name, attributes }: OnnxNode): Decoded {
    const tensor = attributes.get('value')?.tensor;
    if (tensor) return this.decode({ ...tensor, name: tensor.name || name });
    const one = attributes.get('value_float')?.float ?? attributes.get('value_int')?.int;
    if (one !== undefined) return { shape: [], data: [one] };
    const several = attributes.get('value_floats')?.floats ?? attributes.get('value_ints')?.ints;
    if (!several) refuse(this.where, `the constant ${name} to be of numbers`, [...attributes.keys()]);
    return { shape: [several.length], data: several };
  }

  private transpose({ name, attributes }: OnnxNode, { shape, data }: Decoded): Decoded {
    const order = attributes.get('perm')?.ints ?? shape.map((_, axis) => shape.length - 1 - axis);
    const isOrder =
      shape.length <= 4 && shape.every((_, axis) => order.includes(axis)) && order.length === shape.length;
    if (!isOrder) refuse(this.where, `${name} to order the axes of [${shape}]`, `[${order}]`);
    return { shape: order.map((axis) => shape[axis]!), data: permute(Float32Array.from(data), shape, order) };
  }
}
