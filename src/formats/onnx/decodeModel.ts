import type { PbfReader } from 'pbf';
import { refuse } from '../../io/refuse';
import {
  EXTERNAL,
  FIELDS,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './schema';

/** Messages and texts that a file may have: a MobileNet has some hundred; each takes much more memory than its bytes. */
const MAX_PARTS = 100_000;

const DAMAGED = 'The file is damaged, or not the whole of it came, or it is another format.';

/**
 * What an ONNX file holds, as far as it is read here; weights are views of `bytes`. Subgraphs are left out.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function decodeModel({ PbfReader }: typeof import('pbf'), bytes: Uint8Array, where: string): OnnxModel {
  try {
    return new ModelDecoder(new PbfReader(bytes)).model();
  } catch (error) {
    refuse(where, 'an ONNX file', (error as Error).message, DAMAGED, error);
  }
}

/** Reads one message after the other; what a message is made of lies inside of its bytes, or it throws. */
class ModelDecoder {
  private parts = 0;

  constructor(private readonly pbf: PbfReader) {}

  model(): OnnxModel {
    const { pbf } = this;
    const field = FIELDS.model;
    const model = { irVersion: 0, opset: 0, producerName: '', producerVersion: '' };
    const metadata = new Map<string, string>();
    let graph: OnnxGraph | undefined;
    this.fields(pbf.length, {
      [field.irVersion]: () => (model.irVersion = pbf.readVarint()),
      [field.producerName]: () => (model.producerName = this.text()),
      [field.producerVersion]: () => (model.producerVersion = this.text()),
      [field.graph]: () => (graph = this.graph()),
      [field.opsetImport]: () => (model.opset ||= this.opset()),
      [field.metadata]: () => this.entry(metadata),
    });
    if (!graph) throw new Error('no graph in it');
    return { ...model, graph, metadata };
  }

  /** The version of ONNX's own operators; 0 for those of others. */
  private opset(): number {
    const field = FIELDS.opset;
    let domain = '';
    let version = 0;
    this.message({
      [field.domain]: () => (domain = this.text()),
      [field.version]: () => (version = this.pbf.readVarint()),
    });
    return isOwnDomain(domain) ? version : 0;
  }

  private entry(metadata: Map<string, string>): void {
    let key = '';
    let value = '';
    this.message({
      [FIELDS.entry.key]: () => (key = this.text()),
      [FIELDS.entry.value]: () => (value = this.text()),
    });
    metadata.set(key, value);
  }

  private graph(): OnnxGraph {
    const field = FIELDS.graph;
    const nodes: OnnxNode[] = [];
    const initializers: OnnxTensor[] = [];
    const inputs: OnnxValue[] = [];
    const outputs: OnnxValue[] = [];
    let name = '';
    this.message({
      [field.node]: () => nodes.push(this.node()),
      [field.name]: () => (name = this.text()),
      [field.initializer]: () => initializers.push(this.tensor()),
      [field.input]: () => inputs.push(this.value()),
      [field.output]: () => outputs.push(this.value()),
    });
    return { name, nodes, initializers, inputs, outputs };
  }

  private node(): OnnxNode {
    const field = FIELDS.node;
    const node = { name: '', op: '', domain: '' };
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes = new Map<string, OnnxAttribute>();
    this.message({
      [field.input]: () => inputs.push(this.text()),
      [field.output]: () => outputs.push(this.text()),
      [field.name]: () => (node.name = this.text()),
      [field.op]: () => (node.op = this.text()),
      [field.attribute]: () => this.attribute(attributes),
      [field.domain]: () => (node.domain = this.text()),
    });
    return { ...node, domain: isOwnDomain(node.domain) ? '' : node.domain, inputs, outputs, attributes };
  }

  private attribute(attributes: Map<string, OnnxAttribute>): void {
    const { pbf } = this;
    const field = FIELDS.attribute;
    let name = '';
    let attribute: OnnxAttribute = {};
    const ints: number[] = [];
    const floats: number[] = [];
    this.message({
      [field.name]: () => (name = this.text()),
      [field.float]: () => (attribute = { float: pbf.readFloat() }),
      [field.int]: () => (attribute = { int: pbf.readVarint(true) }),
      [field.text]: () => (attribute = { text: this.text() }),
      [field.tensor]: () => (attribute = { tensor: this.tensor() }),
      [field.ints]: () => (attribute = { ints: pbf.readPackedVarint(ints, true) }),
      [field.floats]: () => (attribute = { floats: pbf.readPackedFloat(floats) }),
    });
    attributes.set(name, attribute);
  }

  private tensor(): OnnxTensor {
    const { pbf } = this;
    const field = FIELDS.tensor;
    const tensor = { name: '', type: 0, isExternal: false };
    const dims: number[] = [];
    let raw: Uint8Array | undefined;
    let numbers: number[] | undefined;
    this.message({
      [field.dims]: () => pbf.readPackedVarint(dims, true),
      [field.type]: () => (tensor.type = pbf.readVarint()),
      [field.floats]: () => (numbers = pbf.readPackedFloat(numbers)),
      [field.int32s]: () => (numbers = pbf.readPackedVarint(numbers, true)),
      [field.int64s]: () => (numbers = pbf.readPackedVarint(numbers, true)),
      [field.name]: () => (tensor.name = this.text()),
      [field.raw]: () => (raw = pbf.readBytes()),
      [field.doubles]: () => (numbers = pbf.readPackedDouble(numbers)),
      [field.location]: () => (tensor.isExternal = pbf.readVarint() === EXTERNAL),
    });
    return { ...tensor, dims, raw, numbers };
  }

  private value(): OnnxValue {
    const field = FIELDS.value;
    const dims: (number | string)[] = [];
    let name = '';
    let type = 0;
    const tensorType = {
      [FIELDS.tensorType.element]: () => (type = this.pbf.readVarint()),
      [FIELDS.tensorType.shape]: () => this.message({ [FIELDS.shape.dimension]: () => dims.push(this.dimension()) }),
    };
    this.message({
      [field.name]: () => (name = this.text()),
      [field.type]: () => this.message({ [FIELDS.type.tensor]: () => this.message(tensorType) }),
    });
    return { name, type, dims };
  }

  private dimension(): number | string {
    let size: number | string = '';
    this.message({
      [FIELDS.dimension.value]: () => (size = this.pbf.readVarint(true)),
      [FIELDS.dimension.parameter]: () => (size = this.text()),
    });
    return size;
  }

  private text(): string {
    this.count();
    return this.pbf.readString();
  }

  /** Reads a message that its length precedes. */
  private message(readers: FieldReaders): void {
    this.count();
    const { pbf } = this;
    this.fields(pbf.readVarint() + pbf.pos, readers);
  }

  /** Reads what is known of the fields up to `end`, by their numbers. */
  private fields(end: number, readers: FieldReaders): void {
    const { pbf } = this;
    for (let field = pbf.nextField(end); field !== 0; field = pbf.nextField(end)) readers[field]?.();
    if (pbf.pos !== end) throw new Error(`a part that ends at byte ${pbf.pos}, not at ${end}`);
  }

  private count(): void {
    this.parts++;
    if (this.parts > MAX_PARTS) throw new Error(`more than ${MAX_PARTS} parts`);
  }
}

type FieldReaders = Readonly<Record<number, () => unknown>>;

/** ONNX's operators have a name of their own, too. */
function isOwnDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}
