import type { Builder, Offset } from 'flatbuffers';

/** A field of a table: where its number, text, table or vector goes. One that is 0 by default and has that value is left out. */
export type Field = readonly [field: number, type: 'int8' | 'int32' | 'float32' | 'offset', value: number];

/** Writes tables and vectors with the package flatbuffers, from the leaves to the root. */
export class FlatWriter {
  constructor(readonly builder: Builder) {}

  table(fields: readonly Field[]): Offset {
    const { builder } = this;
    builder.startObject(Math.max(-1, ...fields.map(([field]) => field)) + 1);
    for (const [field, type, value] of fields) {
      if (type === 'int8') builder.addFieldInt8(field, value, 0);
      else if (type === 'int32') builder.addFieldInt32(field, value, 0);
      else if (type === 'float32') builder.addFieldFloat32(field, value, 0);
      else builder.addFieldOffset(field, value, 0);
    }
    return builder.endObject();
  }

  text(text: string): Offset {
    return this.builder.createString(text);
  }

  offsets(offsets: readonly Offset[]): Offset {
    return this.vector(offsets, (offset) => this.builder.addOffset(offset));
  }

  int32s(values: readonly number[]): Offset {
    return this.vector(values, (value) => this.builder.addInt32(value));
  }

  float32s(values: readonly number[]): Offset {
    return this.vector(values, (value) => this.builder.addFloat32(value));
  }

  /** Bytes that begin at a multiple of 16, as runtimes that map a file into memory need them. */
  alignedBytes(bytes: Uint8Array): Offset {
    this.builder.prep(16, bytes.length);
    return this.builder.createByteVector(bytes);
  }

  /** Numbers of four bytes; the builder writes from the end to the beginning. */
  private vector(values: readonly number[], add: (value: number) => void): Offset {
    this.builder.startVector(4, values.length, 4);
    for (const value of values.toReversed()) add(value);
    return this.builder.endVector();
  }
}
