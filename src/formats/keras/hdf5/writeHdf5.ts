import { joinBytes } from '../../../io/joinBytes';
import type { Values } from '../../networkWeights';
import { ByteBuilder, utf8 } from './byteBuilder';
import { NO_ADDRESS } from './cursor';
import { HDF5_SIGNATURE } from './hdf5Group';
import { type Append, type GroupIndex, leafK, TREE_K, writeGroupIndex } from './writeGroup';
import {
  datasetMessages,
  type MessageToWrite,
  objectHeader,
  stringsAttribute,
  symbolTableMessage,
  textAttribute,
} from './writeMessages';

/** A group to be written; names and strings are written as UTF-8. */
export interface GroupToWrite {
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly members?: ReadonlyMap<string, GroupToWrite | Values>;
}

/** In bytes; a header has no room for more. */
const LONGEST_ATTRIBUTE = 60_000;

const SUPERBLOCK_BYTES = 96;

/**
 * The bytes of an HDF5 file, which every libhdf5 reads; the same content gives the same bytes.
 *
 * The format is that of HDF5 1.6, h5py's default. libhdf5 itself, as WebAssembly, is 4 MB, and stamps datasets with the time.
 *
 * Source: HDF5 File Format Specification 4.0 (https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t4.html).
 */
export function writeHdf5(root: GroupToWrite): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let end = SUPERBLOCK_BYTES;
  const appendBytes = (bytes: Uint8Array) => {
    const address = end;
    const padding = new Uint8Array((8 - (bytes.length % 8)) % 8);
    parts.push(bytes, padding);
    end += bytes.length + padding.length;
    return address;
  };
  const k = leafK(mostMembers(root));
  const { header, index } = writeGroup({ append: (bytes) => appendBytes(bytes.build()), appendBytes, k }, root);
  return new Uint8Array(joinBytes([superblock(header, index, k, end), ...parts]));
}

interface Writing {
  readonly append: Append;
  readonly appendBytes: (bytes: Uint8Array) => number;
  readonly k: number;
}

function writeGroup(writing: Writing, { attributes = {}, members = new Map() }: GroupToWrite) {
  const { append, k } = writing;
  const addresses = new Map<string, number>();
  for (const [name, member] of members) {
    addresses.set(name, 'data' in member ? writeDataset(writing, member) : writeGroup(writing, member).header);
  }
  const index = writeGroupIndex(append, addresses, k);
  const strings = Object.entries(attributes).map(([name, values]) => writeStrings(writing, name, values));
  const header = append(objectHeader([symbolTableMessage(index.tree, index.heap), ...strings]));
  return { header, index };
}

function writeDataset({ append, appendBytes }: Writing, { shape, data }: Values): number {
  const address = appendBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return append(objectHeader(datasetMessages(shape, address, data.byteLength)));
}

function writeStrings({ append }: Writing, name: string, values: string | readonly string[]): MessageToWrite {
  if (typeof values !== 'string') return stringsAttribute(name, values);
  const text = utf8(values);
  if (text.length <= LONGEST_ATTRIBUTE) return stringsAttribute(name, values);
  const object = new ByteBuilder().u16(1, 1).u32(0).u64(text.length).put(text).pad();
  // Object 0, the room that is left, ends a heap.
  const heap = new ByteBuilder()
    .text('GCOL')
    .u8(1, 0, 0, 0)
    .u64(16 + object.length + 16);
  return textAttribute(name, text.length, append(heap.put(object.build()).u64(0, 16)));
}

function superblock(header: number, { tree, heap }: GroupIndex, k: number, end: number): Uint8Array {
  return new ByteBuilder()
    .put(HDF5_SIGNATURE)
    .u8(0, 0, 0, 0, 0, 8, 8, 0)
    .u16(k, TREE_K)
    .u32(0)
    .u64(0, NO_ADDRESS, end, NO_ADDRESS)
    .u64(0, header)
    .u32(1, 0)
    .u64(tree, heap)
    .build();
}

function mostMembers({ members = new Map() }: GroupToWrite): number {
  const inside = [...members.values()].map((member) => ('data' in member ? 0 : mostMembers(member)));
  return Math.max(members.size, ...inside);
}
