import type { PbfWriter } from 'pbf';
import {
  ATTRIBUTE_TYPE,
  FIELDS,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './schema';

/** The bytes of an ONNX file. */
export function encodeModel({ PbfWriter }: typeof import('pbf'), model: OnnxModel): Uint8Array<ArrayBuffer> {
  // Room for the weights from the start, in place of a buffer that doubles again and again.
  const weightBytes = model.graph.initializers.reduce((sum, { raw }) => sum + (raw?.length ?? 0), 0);
  const writer = new PbfWriter(new Uint8Array(weightBytes + 2 ** 16));
  writeModel(model, writer);
  return Uint8Array.from(writer.finish());
}

function writeModel(model: OnnxModel, writer: PbfWriter): void {
  const field = FIELDS.model;
  writer.writeVarintField(field.irVersion, model.irVersion);
  writer.writeStringField(field.producerName, model.producerName);
  writer.writeStringField(field.producerVersion, model.producerVersion);
  writer.writeMessage(field.graph, writeGraph, model.graph);
  writer.writeMessage(field.opsetImport, writeOpset, model.opset);
  for (const entry of model.metadata) writer.writeMessage(field.metadata, writeEntry, entry);
}

function writeOpset(version: number, writer: PbfWriter): void {
  writer.writeStringField(FIELDS.opset.domain, '');
  writer.writeVarintField(FIELDS.opset.version, version);
}

function writeEntry([key, value]: [string, string], writer: PbfWriter): void {
  writer.writeStringField(FIELDS.entry.key, key);
  writer.writeStringField(FIELDS.entry.value, value);
}

function writeGraph(graph: OnnxGraph, writer: PbfWriter): void {
  const field = FIELDS.graph;
  for (const node of graph.nodes) writer.writeMessage(field.node, writeNode, node);
  writer.writeStringField(field.name, graph.name);
  for (const tensor of graph.initializers) writer.writeMessage(field.initializer, writeTensor, tensor);
  for (const value of graph.inputs) writer.writeMessage(field.input, writeValue, value);
  for (const value of graph.outputs) writer.writeMessage(field.output, writeValue, value);
}

function writeNode({ name, op, domain, inputs, outputs, attributes }: OnnxNode, writer: PbfWriter): void {
  const field = FIELDS.node;
  for (const input of inputs) writer.writeStringField(field.input, input);
  for (const output of outputs) writer.writeStringField(field.output, output);
  writer.writeStringField(field.name, name);
  writer.writeStringField(field.op, op);
  for (const attribute of attributes) writer.writeMessage(field.attribute, writeAttribute, attribute);
  writer.writeStringField(field.domain, domain);
}

function writeAttribute([name, { float, int, ints }]: [string, OnnxAttribute], writer: PbfWriter): void {
  const field = FIELDS.attribute;
  writer.writeStringField(field.name, name);
  if (float !== undefined) {
    writer.writeFloatField(field.float, float);
    writer.writeVarintField(field.type, ATTRIBUTE_TYPE.float);
  } else if (int !== undefined) {
    writer.writeVarintField(field.int, int);
    writer.writeVarintField(field.type, ATTRIBUTE_TYPE.int);
  } else {
    for (const one of ints ?? []) writer.writeVarintField(field.ints, one);
    writer.writeVarintField(field.type, ATTRIBUTE_TYPE.ints);
  }
}

function writeTensor({ name, dims, type, raw }: OnnxTensor, writer: PbfWriter): void {
  const field = FIELDS.tensor;
  for (const size of dims) writer.writeVarintField(field.dims, size);
  writer.writeVarintField(field.type, type);
  writer.writeStringField(field.name, name);
  if (raw) writer.writeBytesField(field.raw, raw);
}

function writeValue({ name, type, dims }: OnnxValue, writer: PbfWriter): void {
  writer.writeStringField(FIELDS.value.name, name);
  writer.writeMessage(FIELDS.value.type, writeType, { type, dims });
}

type TensorType = Pick<OnnxValue, 'type' | 'dims'>;

function writeType(tensorType: TensorType, writer: PbfWriter): void {
  writer.writeMessage(FIELDS.type.tensor, writeTensorType, tensorType);
}

function writeTensorType({ type, dims }: TensorType, writer: PbfWriter): void {
  writer.writeVarintField(FIELDS.tensorType.element, type);
  writer.writeMessage(FIELDS.tensorType.shape, writeShape, dims);
}

function writeShape(dims: OnnxValue['dims'], writer: PbfWriter): void {
  for (const size of dims) writer.writeMessage(FIELDS.shape.dimension, writeDimension, size);
}

function writeDimension(size: number | string, writer: PbfWriter): void {
  if (typeof size === 'number') writer.writeVarintField(FIELDS.dimension.value, size);
  else writer.writeStringField(FIELDS.dimension.parameter, size);
}
