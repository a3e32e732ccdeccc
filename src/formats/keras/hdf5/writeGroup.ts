import { ByteBuilder, utf8 } from './byteBuilder';
import { NO_ADDRESS } from './cursor';

/** Puts bytes behind what has been written, and returns where they are. */
export type Append = (bytes: ByteBuilder) => number;

/** Where a group's tree and its heap of names are. */
export interface GroupIndex {
  readonly tree: number;
  readonly heap: number;
}

/** Half as many children as a tree's node has room for. */
export const TREE_K = 16;

/** Half as many members as a leaf of a tree has room for, where no group has more than `members`. */
export function leafK(members: number): number {
  return Math.max(4, Math.ceil(members / (4 * TREE_K)));
}

/**
 * Writes the index of a group: a tree of one node, the leaves below it, and the names.
 *
 * @param members By name the addresses of their headers.
 * @param k As {@link leafK} gives it for the whole file.
 */
export function writeGroupIndex(append: Append, members: ReadonlyMap<string, number>, k: number): GroupIndex {
  // The first name is the empty one, which is smaller than all.
  const names = new ByteBuilder().zeros(8);
  const sorted = [...members].sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
  const entries = sorted.map(([name, address]) => {
    const nameAt = names.length;
    names.text(name).u8(0).pad();
    return { nameAt, address };
  });
  const keys = [0];
  const leaves: number[] = [];
  for (let begin = 0; begin < entries.length; begin += 2 * k) {
    const leaf = entries.slice(begin, begin + 2 * k);
    leaves.push(append(symbols(leaf, k)));
    keys.push(leaf.at(-1)!.nameAt);
  }
  const tree = append(treeNode(keys, leaves));
  const namesAt = append(names);
  // 1 stands for a heap without room that is left.
  const heap = append(new ByteBuilder().text('HEAP').u32(0).u64(names.length, 1, namesAt));
  return { tree, heap };
}

/** The order of libhdf5, which is not that of UTF-16 beyond U+D7FF. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i < 0 ? a.length - b.length : a[i]! - (b[i] ?? -1);
}

function symbols(entries: readonly { nameAt: number; address: number }[], k: number): ByteBuilder {
  const node = new ByteBuilder().text('SNOD').u8(1, 0).u16(entries.length);
  for (const { nameAt, address } of entries) node.u64(nameAt, address).zeros(24);
  return node.zeros(40 * (2 * k - entries.length));
}

/** A key stands before, between and behind the leaves: the last name of the leaf before it. */
function treeNode(keys: readonly number[], leaves: readonly number[]): ByteBuilder {
  const node = new ByteBuilder().text('TREE').u8(0, 0).u16(leaves.length).u64(NO_ADDRESS, NO_ADDRESS);
  for (const [i, leaf] of leaves.entries()) node.u64(keys[i]!, leaf);
  return node.u64(keys.at(-1)!).zeros(16 * (2 * TREE_K - leaves.length));
}
