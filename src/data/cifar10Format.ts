import { fail } from '../errors';
import type { Checksum } from '../platform/download';
import { type InMemoryImageDataset, inMemoryDataset, WHOLE_PICTURES } from './imageDataset';

/** The two halves of CIFAR-10. */
export interface Cifar10 {
  train: InMemoryImageDataset;
  test: InMemoryImageDataset;
}

/** What there is to know about the dataset as it was published. */
export interface Cifar10Release {
  url: string;
  archive: Checksum;
  recordsPerFile: number;
}

/** CIFAR-10 binary version, https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky, Nair, Hinton). */
export const CIFAR_10: Cifar10Release = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  archive: { size: 170_052_171, sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd' },
  recordsPerFile: 10_000,
};

/** The folder in the archive. */
export const CIFAR_10_FOLDER = 'cifar-10-batches-bin';

// Marked as pure, so that bundlers drop them where nobody loads CIFAR-10.
const TRAIN_FILES = /* @__PURE__ */ [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const TEST_FILE = 'test_batch.bin';

/** The files that hold pictures. */
export const CIFAR_10_FILES: readonly string[] = /* @__PURE__ */ TRAIN_FILES.concat(TEST_FILE);

const CLASS_NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const SIDE = 32;
const CHANNELS = 3;
const PLANE_BYTES = SIDE * SIDE;
const IMAGE_BYTES = PLANE_BYTES * CHANNELS;

/** A record is one byte of label and three planes: red, green, blue. */
const RECORD_BYTES = 1 + IMAGE_BYTES;

/** Puts the six files, in any order, together into two datasets. */
export interface Cifar10Assembler {
  /** The size that each file must have. */
  readonly fileBytes: number;
  /** Decodes a file of {@link CIFAR_10_FILES}; `where` names it in errors. */
  add(file: string, bytes: Uint8Array, where: string): void;
  /** The datasets; throws where a file is missing. */
  finish(where: string): Cifar10;
}

/** An assembler for files of so many records. */
export function createCifar10Assembler(recordsPerFile: number): Cifar10Assembler {
  const train = allocate(TRAIN_FILES.length * recordsPerFile);
  const test = allocate(recordsPerFile);
  const missing = new Set(CIFAR_10_FILES);
  return {
    fileBytes: recordsPerFile * RECORD_BYTES,

    add(file, bytes, where) {
      checkFileSize(where, bytes.length, recordsPerFile * RECORD_BYTES);
      if (!missing.delete(file)) {
        fail({ code: 'invalid-data', where, expected: 'each file once', received: `${file} again` });
      }
      if (file === TEST_FILE) decodeRecords(where, bytes, test, 0);
      else decodeRecords(where, bytes, train, TRAIN_FILES.indexOf(file) * recordsPerFile);
    },

    finish(where) {
      checkComplete(where, [...missing]);
      return { train: toDataset(train), test: toDataset(test) };
    },
  };
}

/** Throws `invalid-data` unless a file is as long as it should be. */
export function checkFileSize(where: string, received: number, expected: number): void {
  if (received === expected) return;
  fail({
    code: 'invalid-data',
    where,
    expected: `${expected} bytes (${expected / RECORD_BYTES} records of ${RECORD_BYTES})`,
    received: `${received} bytes`,
    remedy: `The file is ${received < expected ? 'truncated' : 'too long'}: get the binary version of CIFAR-10 again.`,
  });
}

/** Throws `invalid-data` where files are missing. */
export function checkComplete(where: string, missing: readonly string[]): void {
  if (missing.length === 0) return;
  fail({
    code: 'invalid-data',
    where,
    expected: `the files ${CIFAR_10_FILES.join(', ')}`,
    received: `none named ${missing.join(', ')}`,
    remedy: `Get the binary version of CIFAR-10 (${CIFAR_10.url}).`,
  });
}

interface Decoded {
  images: Uint8Array;
  labels: Int32Array;
}

function allocate(size: number): Decoded {
  return { images: new Uint8Array(size * IMAGE_BYTES), labels: new Int32Array(size) };
}

function toDataset({ images, labels }: Decoded): InMemoryImageDataset {
  const shape = { height: SIDE, width: SIDE, channels: CHANNELS };
  return inMemoryDataset({ images, labels, ...shape, classNames: CLASS_NAMES, resizing: WHOLE_PICTURES });
}

/** Planar records to `[n,32,32,3]`, from the record `first` of the target on. */
function decodeRecords(where: string, bytes: Uint8Array, { images, labels }: Decoded, first: number): void {
  for (let record = 0; record * RECORD_BYTES < bytes.length; record++) {
    const label = bytes[record * RECORD_BYTES]!;
    if (label >= CLASS_NAMES.length) {
      fail({
        code: 'invalid-data',
        where: `${where}, record ${record}`,
        expected: `a label from 0 to ${CLASS_NAMES.length - 1}`,
        received: label,
        remedy: 'The file is damaged, or of another dataset (CIFAR-100 has two bytes of label).',
      });
    }
    labels[first + record] = label;
    const red = record * RECORD_BYTES + 1;
    const green = red + PLANE_BYTES;
    const blue = green + PLANE_BYTES;
    let target = (first + record) * IMAGE_BYTES;
    for (let pixel = 0; pixel < PLANE_BYTES; pixel++) {
      images[target++] = bytes[red + pixel]!;
      images[target++] = bytes[green + pixel]!;
      images[target++] = bytes[blue + pixel]!;
    }
  }
}
