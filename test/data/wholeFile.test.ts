import { expect, test } from 'vitest';
import { checkWholeFile } from '../../src/data/wholeFile';

const START = [0xff, 0xd8];
const END = [0xff, 0xd9];
/** A segment that has an end-of-image marker inside, as a thumbnail has. */
const THUMBNAIL = [0xff, 0xe1, 0, 6, ...START, ...END];
const SCAN = [0xff, 0xda, 0, 4, 1, 2, 0x12, 0xff, 0x00, 0xd9, 0xff, 0xd0, 0x34];
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
const chunk = (type: string, ...data: number[]) => [0, 0, 0, data.length, ...ascii(type), ...data, 1, 2, 3, 4];

const jpeg = [...START, ...THUMBNAIL, ...SCAN, ...END];
const png = [...SIGNATURE, ...chunk('IHDR', 1, 2, 3), ...chunk('IDAT', ...ascii('IEND')), ...chunk('IEND')];

const check = (bytes: number[]) => checkWholeFile(Uint8Array.from(bytes), 'cat');

test.each([
  ['a JPEG', jpeg],
  ['a JPEG of two scans', [...START, ...SCAN, ...SCAN, ...END]],
  ['a JPEG with something behind it', [...jpeg, 1, 2, 3]],
  ['a JPEG with fill bytes', [...START, ...SCAN, 0xff, 0xff, ...END]],
  ['a PNG', png],
  ['a PNG with something behind it', [...png, 1, 2, 3]],
  ['another file', ascii('RIFF....WEBP')],
])('%s is whole', (_, bytes) => {
  expect(() => check(bytes)).not.toThrow();
});

test.each([
  ['JPEG', jpeg, 3],
  ['PNG', png, SIGNATURE.length],
] as const)('a %s that is cut off anywhere behind its signature is refused', (_, bytes, signature) => {
  for (let length = signature; length < bytes.length; length++)
    expect(() => check(bytes.slice(0, length))).toThrow(/bytes of one, without its end\. Copy or download/);
});

test('a segment or chunk whose length leads out of the file is refused', () => {
  expect(() => check([...START, 0xff, 0xe1, 0xff, 0xff, ...END])).toThrow('without its end');
  expect(() => check([...SIGNATURE, 0xff, 0xff, 0xff, 0xff, ...chunk('IEND')])).toThrow('without its end');
});

test('no bytes are refused', () => {
  expect(() => check([])).toThrow('cat: expected the whole file of a picture, JPEG or PNG, received 0 bytes.');
});
