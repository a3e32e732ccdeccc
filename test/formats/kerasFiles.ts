import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readKerasArchive, readKerasH5 } from '../../src/formats/keras/readKeras';
import { golden } from './networks';

/** A golden file of Keras. */
export function goldenFile(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gunzipSync(readFileSync(golden(`keras/${name}.gz`))));
}

/** Reads a file of Keras by the ending of its name. */
export function readFile(name: string, bytes: Uint8Array<ArrayBuffer>) {
  return (name.endsWith('.keras') ? readKerasArchive : readKerasH5)({ bytes, where: name });
}
