import { Cursor, NO_ADDRESS, refuseHdf5, textOf } from './cursor';
import type { Hdf5Bytes } from './hdf5Bytes';
import { type Message, messageTypes } from './objectHeader';

/** By name the addresses of the headers that a group leads to. */
type Links = Map<string, number>;

/**
 * What is in a group; links to other files and to paths are left out, and so never followed.
 *
 * Undefined where the messages are not those of a group.
 */
export function readLinks(file: Hdf5Bytes, messages: readonly Message[]): Links | undefined {
  const links: Links = new Map();
  let isGroup = false;
  for (const { type, bytes } of messages) {
    const message = new Cursor(file.where, bytes);
    if (type === messageTypes.symbolTable) readSymbolTable(file, message, links);
    else if (type === messageTypes.linkInfo) checkLinkInfo(message);
    else if (type === messageTypes.link) readLink(message, links);
    else continue;
    isGroup = true;
  }
  return isGroup ? links : undefined;
}

/** Groups as HDF5 1.6 has them, and h5py by default. */
function readSymbolTable(file: Hdf5Bytes, message: Cursor, links: Links): void {
  const tree = message.u64();
  const heap = file.part(message.u64(), 32);
  heap.signature('HEAP');
  heap.skip(4);
  const length = heap.u64();
  heap.skip(8);
  const names = file.part(heap.u64(), length);
  readTree({ file, names: names.take(length), links, seen: new Set() }, tree);
}

interface TreeWalk {
  readonly file: Hdf5Bytes;
  /** A group's local heap. */
  readonly names: Uint8Array<ArrayBuffer>;
  readonly links: Links;
  /** Addresses of nodes: a tree has no node twice. */
  readonly seen: Set<number>;
}

function readTree(walk: TreeWalk, address: number, expectedLevel?: number): void {
  const { file, seen } = walk;
  const header = file.part(address, 24);
  header.signature('TREE');
  const type = header.u8();
  const level = header.u8();
  const used = header.u16();
  if (type !== 0 || level !== (expectedLevel ?? level) || seen.has(address)) {
    refuseHdf5(file.where, `a group's tree of an HDF5 file`, `a node of type ${type} and level ${level}`);
  }
  seen.add(address);
  const children = file.part(address + 24, used * 16);
  for (let i = 0; i < used; i++) {
    children.skip(8);
    const child = children.u64();
    if (level > 0) readTree(walk, child, level - 1);
    else readSymbols(walk, child);
  }
}

function readSymbols({ file, names, links }: TreeWalk, address: number): void {
  const header = file.part(address, 8);
  header.signature('SNOD');
  header.skip(2);
  const count = header.u16();
  const entries = file.part(address + 8, count * 40);
  for (let i = 0; i < count; i++) {
    const nameAt = entries.u64();
    const target = entries.u64();
    const isSoftLink = entries.u32() === 2;
    entries.skip(20);
    if (isSoftLink) continue;
    const end = names.indexOf(0, nameAt);
    if (end < 0) refuseHdf5(file.where, 'names in the heap of a group', `one at ${nameAt}`);
    file.charge(end - nameAt);
    addLink(file.where, links, textOf(names.subarray(nameAt, end)), target);
  }
}

/** Groups as HDF5 1.8 has them on demand, as long as they are small. */
function readLink(message: Cursor, links: Links): void {
  message.skip(1);
  const flags = message.u8();
  const isHardLink = !(flags & 0x08) || message.u8() === 0;
  if (flags & 0x04) message.skip(8);
  if (flags & 0x10) message.skip(1);
  const name = textOf(message.take(message.unsigned(1 << (flags & 3))));
  if (isHardLink) addLink(message.where, links, name, message.u64());
}

function checkLinkInfo(message: Cursor): void {
  message.skip(1);
  if (message.u8() & 1) message.skip(8);
  if (message.u64() !== NO_ADDRESS) {
    refuseHdf5(
      message.where,
      "groups as h5py writes them unless told to take libver='latest'",
      'a group in a fractal heap',
    );
  }
}

function addLink(where: string, links: Links, name: string, address: number): void {
  if (links.has(name)) refuseHdf5(where, 'names once in a group', name);
  links.set(name, address);
}
