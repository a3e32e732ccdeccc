import { ByteBuilder, utf8 } from './byteBuilder';
import { messageTypes } from './objectHeader';

/** A message of an object's header, to be written. */
export interface MessageToWrite {
  readonly type: number;
  readonly body: ByteBuilder;
}

/** A header of version 1. */
export function objectHeader(messages: readonly MessageToWrite[]): ByteBuilder {
  const written = new ByteBuilder();
  for (const { type, body } of messages) {
    body.pad();
    written.u16(type, body.length).u8(0, 0, 0, 0).put(body.build());
  }
  return new ByteBuilder().u8(1, 0).u16(messages.length).u32(1, written.length, 0).put(written.build());
}

export function symbolTableMessage(tree: number, heap: number): MessageToWrite {
  return { type: messageTypes.symbolTable, body: new ByteBuilder().u64(tree, heap) };
}

/** What a dataset of float32 is described by, its values in one piece at `address`. */
export function datasetMessages(shape: readonly number[], address: number, byteLength: number): MessageToWrite[] {
  return [
    { type: messageTypes.dataspace, body: dataspace(shape) },
    { type: messageTypes.datatype, body: float32Type() },
    // Allocated at once, filled with nothing but what is written.
    { type: messageTypes.fillValue, body: new ByteBuilder().u8(2, 1, 2, 1).u32(0) },
    { type: messageTypes.layout, body: new ByteBuilder().u8(3, 1).u64(address, byteLength) },
  ];
}

/** An attribute that is a list of strings, or a single one: each takes as many bytes as the longest. */
export function stringsAttribute(name: string, values: string | readonly string[]): MessageToWrite {
  const list = [values].flat().map(utf8);
  const size = Math.max(1, ...list.map(({ length }) => length));
  const data = new ByteBuilder();
  for (const value of list) data.put(value).zeros(size - value.length);
  // UTF-8 that is called ASCII, as in the files of Keras itself.
  const type = new ByteBuilder().u8(0x13, 1, 0, 0).u32(size);
  return attribute(name, type, typeof values === 'string' ? [] : [list.length], data);
}

/** An attribute that is a string of `length` bytes, which lies in the global heap at `address` as object 1. */
export function textAttribute(name: string, length: number, address: number): MessageToWrite {
  // A string of any length is a sequence of bytes.
  const type = new ByteBuilder().u8(0x19, 1, 0, 0).u32(16).u8(0x10, 0, 0, 0).u32(1).u16(0, 8);
  return attribute(name, type, [], new ByteBuilder().u32(length).u64(address).u32(1));
}

function attribute(name: string, type: ByteBuilder, shape: number[], data: ByteBuilder): MessageToWrite {
  const space = dataspace(shape);
  const title = new ByteBuilder().text(name).u8(0);
  const body = new ByteBuilder().u8(1, 0).u16(title.length, type.length, space.length);
  for (const part of [title, type, space, data]) body.put(part.build()).pad();
  return { type: messageTypes.attribute, body };
}

function dataspace(shape: readonly number[]): ByteBuilder {
  return new ByteBuilder()
    .u8(1, shape.length, 0, 0)
    .u32(0)
    .u64(...shape);
}

/** Little-endian IEEE 754: bits 0 to 22 the mantissa, whose first one is implied, 23 to 30 the exponent, 31 the sign. */
function float32Type(): ByteBuilder {
  return new ByteBuilder().u8(0x11, 0x20, 31, 0).u32(4).u16(0, 32).u8(23, 8, 0, 23).u32(127);
}
