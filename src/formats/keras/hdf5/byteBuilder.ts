import { NO_ADDRESS } from './cursor';

/** Bytes that are put one behind the other; numbers are little-endian. */
export class ByteBuilder {
  private readonly bytes: number[] = [];

  u8(...values: number[]): this {
    this.bytes.push(...values);
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) this.u8(value & 0xff, value >>> 8);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.u16(value & 0xffff, value >>> 16);
    return this;
  }

  /** Of integers up to 2^53, or {@link NO_ADDRESS}. */
  u64(...values: number[]): this {
    for (const value of values) {
      if (value === NO_ADDRESS) this.u32(0xffffffff, 0xffffffff);
      else this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
    }
    return this;
  }

  text(text: string): this {
    return this.put(utf8(text));
  }

  put(bytes: Iterable<number>): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  zeros(count: number): this {
    for (let i = 0; i < count; i++) this.bytes.push(0);
    return this;
  }

  /** Zeros up to the next multiple of 8. */
  pad(): this {
    return this.zeros((8 - (this.bytes.length % 8)) % 8);
  }

  get length(): number {
    return this.bytes.length;
  }

  build(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.bytes);
  }
}

/** Sizes in a file count these, and not the letters. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
