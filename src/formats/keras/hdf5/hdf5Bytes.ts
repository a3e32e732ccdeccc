import { Cursor, refuseHdf5 } from './cursor';

/**
 * The bytes of a file that nothing is known of.
 *
 * Addresses in it may lead anywhere, round in circles and a million times to the same place. So all parts that are read
 * must together not be much longer than the file, which ends every walk; an honest file is read about once.
 */
export class Hdf5Bytes {
  private readable: number;

  /** @param where The file's path or address, for messages. */
  constructor(
    readonly where: string,
    private readonly bytes: Uint8Array<ArrayBuffer>,
  ) {
    this.readable = 4 * bytes.length;
  }

  /** `length` bytes from `address` on. */
  part(address: number, length: number): Cursor {
    const end = address + length;
    if (!(end <= this.bytes.length)) {
      refuseHdf5(this.where, `an HDF5 file of at least ${end} bytes`, this.bytes.length);
    }
    this.charge(length);
    return new Cursor(this.where, this.bytes.subarray(address, end));
  }

  /** All bytes from `address` on, which are charged as they are used. */
  rest(address: number): Cursor {
    return new Cursor(this.where, this.bytes.subarray(address));
  }

  /** Counts bytes that are about to be read, or to be read once more. */
  charge(count: number): void {
    this.readable -= count;
    if (this.readable < 0) {
      refuseHdf5(this.where, 'an HDF5 file whose parts lie beside each other', 'one that leads in circles');
    }
  }
}
