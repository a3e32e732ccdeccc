import { type Cursor, refuseHdf5, textOf } from './cursor';
import type { Hdf5Bytes } from './hdf5Bytes';

/** In bytes. The longest that Keras writes is the configuration of a model; that of MobileNet has 77,000. */
const LONGEST_TEXT = 2 ** 23;

type Objects = ReadonlyMap<number, Uint8Array<ArrayBuffer>>;

/** The heaps of a file, where values lie whose lengths differ; each is read once. */
export class GlobalHeaps {
  private readonly heaps = new Map<number, Objects>();

  constructor(readonly file: Hdf5Bytes) {}

  /** The string that a reference leads to: its length, the heap's address and its number in there. */
  text(reference: Cursor): string {
    const length = reference.u32();
    const address = reference.u64();
    const index = reference.u32();
    if (length === 0) return '';
    if (length > LONGEST_TEXT) refuseHdf5(this.file.where, `strings of at most ${LONGEST_TEXT} bytes`, length);
    const bytes = this.heap(address).get(index);
    if (!bytes || bytes.length < length) {
      refuseHdf5(this.file.where, `${length} bytes in a heap of an HDF5 file`, bytes?.length ?? 'none');
    }
    this.file.charge(length);
    return textOf(bytes.subarray(0, length));
  }

  private heap(address: number): Objects {
    const known = this.heaps.get(address);
    if (known) return known;
    const objects = readHeap(this.file, address);
    this.heaps.set(address, objects);
    return objects;
  }
}

function readHeap(file: Hdf5Bytes, address: number): Objects {
  const header = file.part(address, 16);
  header.signature('GCOL');
  header.skip(4);
  const heap = file.part(address + 16, Math.max(0, header.u64() - 16));
  const objects = new Map<number, Uint8Array<ArrayBuffer>>();
  while (heap.left >= 16) {
    const index = heap.u16();
    heap.skip(6);
    const size = heap.u64();
    // Object 0 is the room that is left.
    if (index === 0) break;
    objects.set(index, heap.take(size));
    heap.skip(Math.min(heap.left, (8 - (size % 8)) % 8));
  }
  return objects;
}
