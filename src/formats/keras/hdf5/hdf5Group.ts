import type { Values } from '../../networkWeights';
import { type Attribute, readAttributes, readStrings } from './attributes';
import { refuseHdf5 } from './cursor';
import { readDataset } from './dataset';
import { GlobalHeaps } from './globalHeaps';
import { readLinks } from './groupLinks';
import { Hdf5Bytes } from './hdf5Bytes';
import { readMessages } from './objectHeader';

/** A group of an HDF5 file: named groups and datasets, and attributes of its own. */
export class Hdf5Group {
  private readonly groups = new Map<string, Hdf5Group>();

  constructor(
    private readonly heaps: GlobalHeaps,
    private readonly attributes: ReadonlyMap<string, Attribute>,
    private readonly links: ReadonlyMap<string, number>,
  ) {}

  /** Of what is in it, in the order of the file. */
  get names(): string[] {
    return [...this.links.keys()];
  }

  has(name: string): boolean {
    return this.links.has(name);
  }

  /** The group at a path such as `layers/conv2d`; undefined where there is none. */
  group(path: string): Hdf5Group | undefined {
    let group: Hdf5Group | undefined = this;
    for (const name of path.split('/')) group = group?.child(name);
    return group;
  }

  /** The floats of the dataset at a path; undefined where there is none. */
  values(path: string): Values | undefined {
    const end = path.lastIndexOf('/');
    if (end >= 0) return this.group(path.slice(0, end))?.values(path.slice(end + 1));
    const address = this.links.get(path);
    const { file } = this.heaps;
    return address === undefined ? undefined : readDataset(file, readMessages(file, address), path);
  }

  /** The strings of an attribute, one or many; undefined where it has none of that name. */
  strings(name: string): string[] | undefined {
    const attribute = this.attributes.get(name);
    return attribute && readStrings(this.heaps, attribute);
  }

  private child(name: string): Hdf5Group | undefined {
    const known = this.groups.get(name);
    if (known) return known;
    const address = this.links.get(name);
    const group = address === undefined ? undefined : readGroup(this.heaps, address);
    if (group) this.groups.set(name, group);
    return group;
  }
}

function readGroup(heaps: GlobalHeaps, address: number): Hdf5Group | undefined {
  const messages = readMessages(heaps.file, address);
  const links = readLinks(heaps.file, messages);
  return links && new Hdf5Group(heaps, readAttributes(heaps.file.where, messages), links);
}

/** What an HDF5 file begins with. */
export const HDF5_SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * The root group of an HDF5 file as h5py writes it by default, and of some others.
 *
 * Not libhdf5, whose C code takes the addresses in a file on trust: of 3,000 damaged files it ran beyond its memory on 80,
 * went round for ever on one, and took up to 1.2 GB. Nothing outside of the bytes is ever reached here.
 *
 * @param where The file's path or address, for messages.
 * @throws {MobilenetError} `invalid-data`
 */
export function openHdf5(bytes: Uint8Array<ArrayBuffer>, where: string): Hdf5Group {
  const begin = beginOf(bytes) ?? refuseHdf5(where, 'an HDF5 file', 'another one');
  const file = new Hdf5Bytes(where, bytes.subarray(begin));
  const root = readGroup(new GlobalHeaps(file), rootAddress(file, begin));
  return root ?? refuseHdf5(where, 'the root of an HDF5 file to be a group', 'another object');
}

/** At 0, or behind a block of the user's own, of 512 bytes or twice, four times... as many. */
function beginOf(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length; at = at === 0 ? 512 : 2 * at) {
    if (HDF5_SIGNATURE.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return undefined;
}

/** @param begin What addresses are counted from. */
function rootAddress(file: Hdf5Bytes, begin: number): number {
  const superblock = file.rest(0);
  superblock.skip(HDF5_SIGNATURE.length);
  const version = superblock.u8();
  if (version > 3) refuseHdf5(file.where, 'a superblock of version 0 to 3', version);
  // Versions 0 and 1: of the parts of the file.
  superblock.skip(version < 2 ? 4 : 0);
  const sizes = [superblock.u8(), superblock.u8()];
  if (sizes.some((size) => size !== 8)) refuseHdf5(file.where, 'addresses and lengths of 8 bytes', sizes);
  // Versions 0 and 1: how large the nodes of trees are.
  superblock.skip([9, 13, 1, 1][version]!);
  const base = superblock.u64();
  if (base !== begin) refuseHdf5(file.where, `an HDF5 file with addresses from ${begin}`, base);
  // Versions 0 and 1: a table of free space, the end, a driver, and the root's name. From 2 on: an extension and the end.
  superblock.skip(version < 2 ? 32 : 16);
  return superblock.u64();
}
