import { Cursor, refuseHdf5 } from './cursor';
import type { Hdf5Bytes } from './hdf5Bytes';

/** A message of an object's header. */
export interface Message {
  readonly type: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Types of the messages that a header is made of, as far as they matter here. */
export const messageTypes = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** As many as a header of version 1 can count. */
const MOST_MESSAGES = 65_535;

/** A stretch of messages, and how they are written there. */
interface Chunk {
  readonly cursor: Cursor;
  readonly version: 1 | 2;
  /** Bytes before a message's own. */
  readonly prefix: number;
}

/**
 * The messages of an object's header, those in its continuations too.
 *
 * Source: HDF5 File Format Specification 4.0, IV.A.1 (https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t4.html).
 */
export function readMessages(file: Hdf5Bytes, address: number): Message[] {
  const messages: Message[] = [];
  const chunks = [firstChunk(file, address)];
  // The loop reaches what is added on the way; continuations in a circle use up what may be read.
  for (const { cursor, version, prefix } of chunks) {
    while (cursor.left >= prefix) {
      const message = readMessage(cursor, version, prefix);
      messages.push(message);
      if (messages.length > MOST_MESSAGES) {
        refuseHdf5(file.where, `at most ${MOST_MESSAGES} messages in a header`, 'more');
      }
      if (message.type !== messageTypes.continuation) continue;
      chunks.push({ cursor: continuation(file, new Cursor(file.where, message.bytes), version), version, prefix });
    }
  }
  return messages;
}

function firstChunk(file: Hdf5Bytes, address: number): Chunk {
  if (file.part(address, 1).u8() === 1) {
    const header = file.part(address, 16);
    header.skip(8);
    return { cursor: file.part(address + 16, header.u32()), version: 1, prefix: 8 };
  }
  const header = file.rest(address);
  header.signature('OHDR');
  const version = header.u8();
  if (version !== 2) refuseHdf5(file.where, 'an object header of version 1 or 2', version);
  const flags = header.u8();
  if (flags & 0x20) header.skip(16);
  if (flags & 0x10) header.skip(4);
  const length = header.unsigned(1 << (flags & 3));
  return { cursor: file.part(address + header.read, length), version, prefix: flags & 0x04 ? 6 : 4 };
}

function readMessage(cursor: Cursor, version: 1 | 2, prefix: number): Message {
  const type = version === 1 ? cursor.u16() : cursor.u8();
  const length = cursor.u16();
  const flags = cursor.u8();
  if (flags & 2) refuseHdf5(cursor.where, 'an HDF5 file as Keras writes it', 'one with shared messages');
  cursor.skip(version === 1 ? 3 : prefix - 4);
  return { type, bytes: cursor.take(length) };
}

function continuation(file: Hdf5Bytes, message: Cursor, version: 1 | 2): Cursor {
  const address = message.u64();
  const chunk = file.part(address, message.u64());
  if (version === 1) return chunk;
  chunk.signature('OCHK');
  // A checksum of four bytes ends it.
  return new Cursor(file.where, chunk.take(Math.max(0, chunk.left - 4)));
}
