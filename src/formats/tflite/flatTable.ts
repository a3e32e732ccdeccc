import { refuse } from '../../io/refuse';

/** The longest text that is read; names of tensors are for messages only. */
const MAX_TEXT_BYTES = 256;

const DAMAGED = 'The file is damaged, or not the whole of it came: get it anew.';

/**
 * A table of a FlatBuffers file of which nothing is known to be true.
 *
 * Every place is checked before it is read, so that a damaged offset or length is refused; the package's own ByteBuffer
 * reads beyond the end. Fields that a table does not have are as they are by default.
 *
 * Source: https://flatbuffers.dev/internals/. An offset counts from its own place; a table begins with the distance back to
 * its vtable, which has its own size, the table's size, and where each field lies in the table.
 */
export class FlatTable {
  private readonly vtable: number;
  private readonly vtableBytes: number;

  private constructor(
    private readonly view: DataView<ArrayBuffer>,
    private readonly start: number,
    private readonly where: string,
  ) {
    this.vtable = start - this.view.getInt32(this.placed(start, 4), true);
    this.vtableBytes = this.view.getUint16(this.placed(this.vtable, 4), true);
    this.placed(this.vtable, this.vtableBytes);
  }

  /** The root of a whole file. */
  static root(
    { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
    identifier: string,
    where: string,
  ): FlatTable {
    const view = new DataView(buffer, byteOffset, byteLength);
    const found = byteLength < 8 ? '' : String.fromCharCode(...new Uint8Array(buffer, byteOffset + 4, 4));
    if (found !== identifier) refuse(where, `bytes 4 to 7 to be ${identifier}`, JSON.stringify(found), DAMAGED);
    return new FlatTable(view, view.getUint32(0, true), where);
  }

  int8(field: number, otherwise = 0): number {
    const at = this.fieldAt(field, 1);
    return at === undefined ? otherwise : this.view.getInt8(at);
  }

  uint8(field: number): number {
    return this.int8(field) & 0xff;
  }

  int32(field: number, otherwise = 0): number {
    const at = this.fieldAt(field, 4);
    return at === undefined ? otherwise : this.view.getInt32(at, true);
  }

  uint32(field: number): number {
    return this.int32(field) >>> 0;
  }

  /** Exact up to 2^53. */
  uint64(field: number): number {
    const at = this.fieldAt(field, 8);
    return at === undefined ? 0 : Number(this.view.getBigUint64(at, true));
  }

  text(field: number): string {
    const { at, length } = this.vectorAt(field, 1);
    return new TextDecoder().decode(this.part(at, Math.min(length, MAX_TEXT_BYTES)));
  }

  table(field: number): FlatTable | undefined {
    const at = this.fieldAt(field, 4);
    return at === undefined ? undefined : this.tableAt(at);
  }

  /** The tables of a vector, each of which is only read when it is asked for. */
  tables(field: number): FlatTables {
    const { at, length } = this.vectorAt(field, 4);
    return {
      length,
      at: (index) => {
        if (index >= 0 && index < length) return this.tableAt(at + 4 * index);
        return refuse(this.where, `one of ${length} tables`, index, DAMAGED);
      },
    };
  }

  /** @param most A longer vector is refused: offsets let many tables share one, and reading it over and over takes long. */
  int32s(field: number, most: number): number[] {
    return this.numbers(field, 4, most, (at) => this.view.getInt32(at, true));
  }

  float32s(field: number, most: number): number[] {
    return this.numbers(field, 4, most, (at) => this.view.getFloat32(at, true));
  }

  /** Exact up to 2^53. */
  int64s(field: number, most: number): number[] {
    return this.numbers(field, 8, most, (at) => Number(this.view.getBigInt64(at, true)));
  }

  /** Not copied. */
  bytes(field: number): Uint8Array<ArrayBuffer> {
    const { at, length } = this.vectorAt(field, 1);
    return this.part(at, length);
  }

  private numbers(field: number, size: number, most: number, read: (at: number) => number): number[] {
    const { at, length } = this.vectorAt(field, size);
    if (length > most) refuse(this.where, `a list of at most ${most} numbers`, length, DAMAGED);
    return Array.from({ length }, (_, i) => read(at + size * i));
  }

  /** Of a vector that is not there, an empty one. */
  private vectorAt(field: number, size: number): { at: number; length: number } {
    const offset = this.fieldAt(field, 4);
    if (offset === undefined) return { at: 0, length: 0 };
    const start = offset + this.view.getUint32(offset, true);
    const length = this.view.getUint32(this.placed(start, 4), true);
    return { at: this.placed(start + 4, length * size), length };
  }

  private tableAt(offset: number): FlatTable {
    return new FlatTable(this.view, offset + this.view.getUint32(offset, true), this.where);
  }

  private fieldAt(field: number, size: number): number | undefined {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.vtableBytes) return undefined;
    const offset = this.view.getUint16(this.vtable + entry, true);
    return offset === 0 ? undefined : this.placed(this.start + offset, size);
  }

  private part(at: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, length);
  }

  private placed(at: number, size: number): number {
    if (at >= 0 && at + size <= this.view.byteLength) return at;
    return refuse(this.where, `${size} bytes at ${at}`, `a file of ${this.view.byteLength} bytes`, DAMAGED);
  }
}

/** A vector of tables. */
export interface FlatTables {
  readonly length: number;
  /** @throws {MobilenetError} `invalid-data` beyond the end */
  at(index: number): FlatTable;
}
