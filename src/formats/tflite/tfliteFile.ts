import { refuse } from '../../io/refuse';
import { FlatTable, type FlatTables } from './flatTable';
import {
  BufferField,
  FILE_IDENTIFIER,
  MetadataField,
  ModelField,
  Op,
  OperatorCodeField,
  OperatorField,
  SCHEMA_VERSION,
  SubGraphField,
  TensorField,
} from './schema';

/** A MobileNetV1 has about 30; beside them there may be a DEQUANTIZE for each weight. */
const MAX_OPERATORS = 10_000;
/** No operator of a MobileNetV1 takes or gives more tensors, and no tensor has more dimensions. */
const MAX_TENSORS = 8;
const MAX_METADATA = 100;

/** A step of the network. */
export interface TfliteOperator {
  readonly code: number;
  /** In words, for messages. */
  readonly name: string;
  /** Of tensors; -1 for one that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Undefined where they are of another type. */
  options(type: number): FlatTable | undefined;
}

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** One of TensorType. */
  readonly type: number;
  readonly quantization: FlatTable | undefined;
  /** Empty where the values are calculated. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The parts of a file that weights are read from; each is read when it is asked for. */
export interface TfliteFile {
  readonly where: string;
  /** Of the file, in bytes. */
  readonly length: number;
  readonly operators: readonly TfliteOperator[];
  /** The tensor that pictures go into, and the one that scores come out of. */
  readonly input: number;
  readonly output: number;
  tensor(index: number): TfliteTensor;
  /** Undefined where there is no such entry. */
  metadata(name: string): Uint8Array<ArrayBuffer> | undefined;
}

/** Opens a file; its first subgraph is the network. */
export function openTflite(bytes: Uint8Array<ArrayBuffer>, where: string): TfliteFile {
  const model = FlatTable.root(bytes, FILE_IDENTIFIER, where);
  const version = model.uint32(ModelField.version);
  if (version !== SCHEMA_VERSION) refuse(where, `a TFLite file of version ${SCHEMA_VERSION}`, version);
  const graph = model.tables(ModelField.subgraphs).at(0);
  const tensors = graph.tables(SubGraphField.tensors);
  const bufferAt = bufferReader(bytes, model.tables(ModelField.buffers), where);
  return {
    where,
    length: bytes.length,
    operators: readOperators(model, graph, where),
    input: onlyOne(graph, SubGraphField.inputs, 'input', where),
    output: onlyOne(graph, SubGraphField.outputs, 'output', where),
    tensor: (index) => readTensor(tensors.at(index), bufferAt, where),
    metadata: (name) => findMetadata(model.tables(ModelField.metadata), name, bufferAt, where),
  };
}

function onlyOne(graph: FlatTable, field: number, what: string, where: string): number {
  const indices = graph.int32s(field, MAX_TENSORS);
  if (indices.length !== 1) refuse(where, `a network with one ${what}`, indices.length);
  return indices[0]!;
}

function readOperators(model: FlatTable, graph: FlatTable, where: string): TfliteOperator[] {
  const codes = model.tables(ModelField.operatorCodes);
  const { length, at } = graph.tables(SubGraphField.operators);
  if (length > MAX_OPERATORS) refuse(where, `a network of at most ${MAX_OPERATORS} operators`, length);
  return Array.from({ length }, (_, i) => {
    const operator = at(i);
    const { code, name } = readCode(codes.at(operator.uint32(OperatorField.opcodeIndex)));
    return {
      code,
      name,
      inputs: operator.int32s(OperatorField.inputs, MAX_TENSORS),
      outputs: operator.int32s(OperatorField.outputs, MAX_TENSORS),
      options: (type) =>
        operator.uint8(OperatorField.optionsType) === type ? operator.table(OperatorField.options) : undefined,
    };
  });
}

const names = new Map<number, string>(Object.entries(Op).map(([name, code]) => [code, name]));

function readCode(entry: FlatTable): { code: number; name: string } {
  // Codes from 127 on do not fit into the older field, which then holds 127.
  const code = Math.max(
    entry.int8(OperatorCodeField.deprecatedBuiltinCode),
    entry.int32(OperatorCodeField.builtinCode),
  );
  if (code === Op.CUSTOM) return { code, name: `the custom operator ${entry.text(OperatorCodeField.customCode)}` };
  return { code, name: names.get(code) ?? `operator ${code} of TFLite's schema` };
}

type BufferReader = (index: number) => Uint8Array<ArrayBuffer>;

function readTensor(tensor: FlatTable, bufferAt: BufferReader, where: string): TfliteTensor {
  const name = tensor.text(TensorField.name);
  if (tensor.table(TensorField.sparsity)) refuse(where, `${name} to be dense`, 'a sparse tensor');
  if (tensor.uint32(TensorField.externalBuffer) !== 0) {
    refuse(
      where,
      `the values of ${name} inside of the file`,
      'a tensor in another file',
      'Convert the model to one file.',
    );
  }
  return {
    name,
    shape: tensor.int32s(TensorField.shape, MAX_TENSORS),
    type: tensor.int8(TensorField.type),
    quantization: tensor.table(TensorField.quantization),
    data: bufferAt(tensor.uint32(TensorField.buffer)),
  };
}

/** Values lie in the FlatBuffer, or behind it in the same file. */
function bufferReader(file: Uint8Array<ArrayBuffer>, buffers: FlatTables, where: string): BufferReader {
  return (index) => {
    const buffer = buffers.at(index);
    const offset = buffer.uint64(BufferField.offset);
    // The schema has it that an offset of 0 or 1 is none.
    if (offset <= 1) return buffer.bytes(BufferField.data);
    const end = offset + buffer.uint64(BufferField.size);
    if (end > file.length) refuse(where, `${end} bytes`, file.length, 'The file is not whole: get it anew.');
    return file.subarray(offset, end);
  };
}

function findMetadata(entries: FlatTables, name: string, bufferAt: BufferReader, where: string) {
  if (entries.length > MAX_METADATA) refuse(where, `at most ${MAX_METADATA} entries of metadata`, entries.length);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries.at(i);
    if (entry.text(MetadataField.name) === name) return bufferAt(entry.uint32(MetadataField.buffer));
  }
  return undefined;
}
