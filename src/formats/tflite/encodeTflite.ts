import type { Builder, Offset } from 'flatbuffers';
import { FlatWriter } from './flatWriter';
import type { OperatorPlan, TensorPlan } from './graphPlan';
import {
  BufferField,
  FILE_IDENTIFIER,
  MetadataField,
  ModelField,
  OperatorCodeField,
  OperatorField,
  SCHEMA_VERSION,
  SignatureField,
  SubGraphField,
  TensorField,
  TensorMapField,
} from './schema';

/** The key that TensorFlow gives to a model's only signature. */
const SIGNATURE_KEY = 'serving_default';

/** More than a tensor's own tables take, so that the builder need not grow: that copies all weights. */
const BYTES_PER_TENSOR = 1024;

/** What a file is to hold. */
export interface FilePlan {
  /** Of the model. */
  readonly name: string;
  readonly tensors: readonly TensorPlan[];
  readonly operators: readonly OperatorPlan[];
  /** Of tensors. */
  readonly input: number;
  readonly output: number;
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** @param createBuilder makes the builder of the package flatbuffers, of a size in bytes */
export function encodeTflite(createBuilder: (bytes: number) => Builder, plan: FilePlan): Uint8Array<ArrayBuffer> {
  const weightBytes = plan.tensors.reduce((total, { data }) => total + (data?.length ?? 0), 0);
  const writer = new FlatWriter(createBuilder(weightBytes + BYTES_PER_TENSOR * plan.tensors.length));
  writer.builder.finish(writeModel(writer, plan), FILE_IDENTIFIER);
  return writer.builder.asUint8Array().slice();
}

function writeModel(writer: FlatWriter, plan: FilePlan): Offset {
  // By convention the first buffer is empty: tensors without values of their own refer to it.
  const buffers = [writer.table([])];
  const addBuffer = (content: Uint8Array | undefined) =>
    content ? buffers.push(writer.table([[BufferField.data, 'offset', writer.alignedBytes(content)]])) - 1 : 0;
  const tensors = plan.tensors.map((tensor) => writeTensor(writer, tensor, addBuffer(tensor.data)));
  const metadata = [...plan.metadata].map(([name, content]) => writeEntry(writer, name, addBuffer(content)));
  const codes = operatorCodes(plan);
  const graph = writer.table([
    [SubGraphField.tensors, 'offset', writer.offsets(tensors)],
    [SubGraphField.inputs, 'offset', writer.int32s([plan.input])],
    [SubGraphField.outputs, 'offset', writer.int32s([plan.output])],
    [SubGraphField.operators, 'offset', writer.offsets(plan.operators.map((one) => writeOperator(writer, one, codes)))],
    [SubGraphField.name, 'offset', writer.text(plan.name)],
  ]);
  return writer.table([
    [ModelField.version, 'int32', SCHEMA_VERSION],
    [ModelField.operatorCodes, 'offset', writer.offsets(codes.map((one) => writeCode(writer, one)))],
    [ModelField.subgraphs, 'offset', writer.offsets([graph])],
    [ModelField.description, 'offset', writer.text('mobilenet-v1-ts')],
    [ModelField.buffers, 'offset', writer.offsets(buffers)],
    [ModelField.metadata, 'offset', writer.offsets(metadata)],
    [ModelField.signatureDefs, 'offset', writer.offsets([writeSignature(writer, plan)])],
  ]);
}

type Code = Pick<OperatorPlan, 'code' | 'version'>;

/** Each kind of operator once. */
function operatorCodes({ operators }: FilePlan): Code[] {
  return operators.filter((one, i) => findCode(operators, one) === i);
}

function findCode(codes: readonly Code[], { code, version }: Code): number {
  return codes.findIndex((other) => other.code === code && other.version === version);
}

function writeCode(writer: FlatWriter, { code, version }: Code): Offset {
  return writer.table([
    [OperatorCodeField.deprecatedBuiltinCode, 'int8', code],
    [OperatorCodeField.version, 'int32', version],
    [OperatorCodeField.builtinCode, 'int32', code],
  ]);
}

function writeTensor(writer: FlatWriter, { name, shape, type }: TensorPlan, buffer: number): Offset {
  return writer.table([
    [TensorField.shape, 'offset', writer.int32s(shape)],
    [TensorField.type, 'int8', type],
    [TensorField.buffer, 'int32', buffer],
    [TensorField.name, 'offset', writer.text(name)],
  ]);
}

function writeOperator(writer: FlatWriter, operator: OperatorPlan, codes: readonly Code[]): Offset {
  const { inputs, outputs, options } = operator;
  return writer.table([
    [OperatorField.opcodeIndex, 'int32', findCode(codes, operator)],
    [OperatorField.inputs, 'offset', writer.int32s(inputs)],
    [OperatorField.outputs, 'offset', writer.int32s(outputs)],
    [OperatorField.optionsType, 'int8', options?.type ?? 0],
    [OperatorField.options, 'offset', options ? writer.table(options.fields) : 0],
  ]);
}

function writeEntry(writer: FlatWriter, name: string, buffer: number): Offset {
  return writer.table([
    [MetadataField.name, 'offset', writer.text(name)],
    [MetadataField.buffer, 'int32', buffer],
  ]);
}

/** Names for the input and the output, which interpreters find them by. */
function writeSignature(writer: FlatWriter, { tensors, input, output }: FilePlan): Offset {
  const name = (index: number) =>
    writer.table([
      [TensorMapField.name, 'offset', writer.text(tensors[index]!.name)],
      [TensorMapField.tensorIndex, 'int32', index],
    ]);
  return writer.table([
    [SignatureField.inputs, 'offset', writer.offsets([name(input)])],
    [SignatureField.outputs, 'offset', writer.offsets([name(output)])],
    [SignatureField.key, 'offset', writer.text(SIGNATURE_KEY)],
  ]);
}
