import { Cursor, NO_ADDRESS, refuseHdf5, textOf } from './cursor';
import { countValues, readDataspace, readDatatype } from './datatype';
import type { GlobalHeaps } from './globalHeaps';
import { type Message, messageTypes } from './objectHeader';

/** An attribute whose values have not been looked at. */
export interface Attribute {
  readonly datatype: Uint8Array<ArrayBuffer>;
  readonly dataspace: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The attributes of an object by name. */
export function readAttributes(where: string, messages: readonly Message[]): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const { type, bytes } of messages) {
    const message = new Cursor(where, bytes);
    if (type === messageTypes.attributeInfo) checkAttributeInfo(message);
    if (type === messageTypes.attribute) attributes.set(...readAttribute(message));
  }
  return attributes;
}

function readAttribute(message: Cursor): [name: string, attribute: Attribute] {
  const version = message.u8();
  const flags = message.u8();
  if (version < 1 || version > 3 || (version > 1 && flags !== 0)) {
    refuseHdf5(message.where, 'attributes of version 1 to 3, nothing shared', `version ${version}`);
  }
  const [nameLength, datatypeLength, dataspaceLength] = [message.u16(), message.u16(), message.u16()];
  if (version === 3) message.skip(1);
  const takePadded = (length: number) => {
    const bytes = message.take(length);
    if (version === 1) message.skip((8 - (length % 8)) % 8);
    return bytes;
  };
  const name = textOf(takePadded(nameLength));
  const datatype = takePadded(datatypeLength);
  const dataspace = takePadded(dataspaceLength);
  return [name, { datatype, dataspace, data: message.take(message.left) }];
}

/** The strings of an attribute, one or many; undefined where it holds something else. */
export function readStrings(heaps: GlobalHeaps, attribute: Attribute): string[] | undefined {
  const { where } = heaps.file;
  const shape = readDataspace(new Cursor(where, attribute.dataspace));
  // Keras stores an empty list of names as an empty list of numbers.
  if (shape.includes(0)) return [];
  const { kind, size } = readDatatype(new Cursor(where, attribute.datatype));
  if (kind !== 'string' && kind !== 'text') return undefined;
  if (size === 0) refuseHdf5(where, 'strings of a size', size);
  const data = new Cursor(where, attribute.data);
  const count = countValues(where, shape, data.left / size);
  heaps.file.charge(count * size);
  return Array.from({ length: count }, () => {
    const bytes = data.take(size);
    return kind === 'string' ? textOf(bytes) : heaps.text(new Cursor(where, bytes));
  });
}

function checkAttributeInfo(message: Cursor): void {
  message.skip(1);
  if (message.u8() & 1) message.skip(2);
  if (message.u64() !== NO_ADDRESS) {
    refuseHdf5(message.where, "attributes as h5py writes them unless told to take libver='latest'", 'a fractal heap');
  }
}
