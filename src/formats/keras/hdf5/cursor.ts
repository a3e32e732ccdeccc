import { refuse } from '../../../io/refuse';

/** What HDF5 has in the place of an address where there is none: 64 ones, which as a number are rounded to this. */
export const NO_ADDRESS = 2 ** 64;

const DAMAGED = 'The file is damaged, or not the whole of it came: get it anew.';

/** Throws `invalid-data`: the bytes are not what the format has there. */
export function refuseHdf5(where: string, expected: string, received: unknown): never {
  refuse(where, expected, received, DAMAGED);
}

/** Reads a part of a file from its begin to its end, little-endian, and never beyond it. */
export class Cursor {
  private readonly view: DataView;
  private at = 0;

  /** @param where The file's path or address, for messages. */
  constructor(
    readonly where: string,
    private readonly bytes: Uint8Array<ArrayBuffer>,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes have been read. */
  get read(): number {
    return this.at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.move(1));
  }

  u16(): number {
    return this.view.getUint16(this.move(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.move(4), true);
  }

  /** An unsigned integer of 64 bits; exact below 2^53, which is more bytes than any file has. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 2 ** 32 + low;
  }

  /** A length or number of `size` bytes, 1, 2, 4 or 8. */
  unsigned(size: number): number {
    if (size === 1) return this.u8();
    if (size === 2) return this.u16();
    return size === 4 ? this.u32() : this.u64();
  }

  skip(count: number): void {
    this.move(count);
  }

  take(count: number): Uint8Array<ArrayBuffer> {
    const begin = this.move(count);
    return this.bytes.subarray(begin, begin + count);
  }

  /** ASCII that stands before a structure. */
  signature(expected: string): void {
    const received = String.fromCharCode(...this.take(expected.length));
    if (received !== expected) refuseHdf5(this.where, `'${expected}' of an HDF5 file`, JSON.stringify(received));
  }

  private move(count: number): number {
    if (!(count <= this.left)) refuseHdf5(this.where, `${count} bytes of an HDF5 file`, `${this.left} left`);
    const begin = this.at;
    this.at += count;
    return begin;
  }
}

/** The bytes up to the first NUL, or all, as UTF-8. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
