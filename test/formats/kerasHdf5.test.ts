import { type Dataset, type Dtype, File, type FileOptions, ready } from 'h5wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { openHdf5 } from '../../src/formats/keras/hdf5/hdf5Group';
import { type GroupToWrite, writeHdf5 } from '../../src/formats/keras/hdf5/writeHdf5';
import type { Values } from '../../src/formats/networkWeights';

// h5wasm is libhdf5 itself, as WebAssembly with a file system of its own.
let files: Awaited<typeof ready>['FS'];

beforeAll(async () => {
  files = (await ready).FS;
});

/** The bytes of a file that libhdf5 writes. */
function written(write: (file: File) => void, options?: FileOptions): Uint8Array<ArrayBuffer> {
  const file = new File('written.h5', 'w', options);
  write(file);
  // Groups that h5wasm has made stay open, and keep the file from being written.
  file.flush();
  file.close();
  const bytes = Uint8Array.from(files.readFile('written.h5'));
  files.unlink('written.h5');
  return bytes;
}

/** What libhdf5 makes of a file. */
function readByLibhdf5<T>(bytes: Uint8Array, read: (file: File) => T): T {
  files.writeFile('read.h5', bytes);
  const file = new File('read.h5', 'r');
  try {
    return read(file);
  } finally {
    file.close();
    files.unlink('read.h5');
  }
}

const open = (bytes: Uint8Array<ArrayBuffer>) => openHdf5(bytes, 'x.h5');

const dataset = (shape: number[], ...values: number[]): Values => ({ shape, data: Float32Array.from(values) });

describe('libhdf5 reads what is written', () => {
  const valueAt = (file: File, path: string) => (file.get(path) as Dataset).value;

  test('groups in groups, datasets, and attributes of one string and of many', () => {
    const inner: GroupToWrite = { members: new Map([['kernel:0', dataset([2, 1, 2], 1, -0, 3.5, Number.NaN)]]) };
    const bytes = writeHdf5({
      attributes: { one: 'a', many: ['b', '', 'ccc'], none: [], empty: '' },
      members: new Map<string, GroupToWrite | Values>([
        ['conv1', inner],
        ['Z', { attributes: { name: 'last' } }],
        ['scalar', dataset([], 7)],
      ]),
    });
    readByLibhdf5(bytes, (file) => {
      expect(file.keys()).toEqual(['Z', 'conv1', 'scalar']);
      expect((file.get('conv1/kernel:0') as Dataset).shape).toEqual([2, 1, 2]);
      expect(valueAt(file, 'conv1/kernel:0')).toEqual(Float32Array.of(1, -0, 3.5, Number.NaN));
      expect(valueAt(file, 'scalar')).toBe(7);
      const { one, many, none, empty } = file.attrs;
      expect([one!.value, many!.value, none!.shape, empty!.value]).toEqual(['a', ['b', '', 'ccc'], [0], '']);
    });
  });

  test('a string too long for an attribute of a fixed length', () => {
    const text = 'long '.repeat(40_000);
    const bytes = writeHdf5({ attributes: { text, after: 'b' } });
    expect(readByLibhdf5(bytes, ({ attrs }) => [attrs.text!.value, attrs.after!.value])).toEqual([text, 'b']);
    expect(open(bytes).strings('text')).toEqual([text]);
  });

  test.each([0, 1, 8, 9, 256, 257, 1500])('%i members of a group', (count) => {
    const names = Array.from({ length: count }, (_, i) => `layer_${i}`);
    const bytes = writeHdf5({ members: new Map(names.map((name, i) => [name, dataset([1], i)])) });
    readByLibhdf5(bytes, (file) => {
      expect(file.keys()).toHaveLength(count);
      for (const [i, name] of names.entries()) expect(valueAt(file, name)).toEqual(Float32Array.of(i));
    });
    expect(open(bytes).names).toEqual(names.toSorted());
  });

  test('the same content gives the same bytes', () => {
    const content = () => writeHdf5({ attributes: { a: 'b' }, members: new Map([['x', dataset([1], 1)]]) });
    expect(content()).toEqual(content());
  });
});

describe.each<[string, FileOptions | undefined]>([
  ['the oldest format', undefined],
  ['the format of HDF5 1.8', { libver: ['v108', 'v108'] }],
  ['the newest format', { libver: 'latest' }],
])('what libhdf5 writes in %s is read', (_, options) => {
  test('a dataset in a group in a group', () => {
    const bytes = written((file) => {
      const group = file.create_group('a').create_group('b');
      group.create_dataset({ name: 'c', data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] });
    }, options);
    expect(open(bytes).values('a/b/c')).toEqual({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect(open(bytes).group('a')?.values('b/c')?.shape).toEqual([3, 2]);
    expect([open(bytes).values('a/b'), open(bytes).values('a/x/c'), open(bytes).group('a/b/c')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each<[Dtype, Float32Array | Float64Array]>([
    ['<f', Float32Array.of(1.1, -2)],
    ['<d', Float64Array.of(1.1, -2)],
  ])('floats of type %s', (dtype, data) => {
    const bytes = written((file) => file.create_dataset({ name: 'x', data, dtype }), options);
    expect(open(bytes).values('x')?.data).toEqual(Float32Array.of(1.1, -2));
  });

  test('attributes: strings of a fixed length and of any', () => {
    const bytes = written((file) => {
      file.create_attribute('fixed', ['ab', 'c'], null, 'S5');
      file.create_attribute('any', ['Blüte', '']);
      file.create_attribute('one', 'x');
      file.create_attribute('number', 3);
    }, options);
    const root = open(bytes);
    expect(['fixed', 'any', 'one', 'number', 'none'].map((name) => root.strings(name))).toEqual([
      ['ab', 'c'],
      ['Blüte', ''],
      ['x'],
      undefined,
      undefined,
    ]);
  });

  test('links to paths and to other files are not followed', () => {
    const bytes = written((file) => {
      file.create_dataset({ name: 'here', data: Float32Array.of(1) });
      file.create_soft_link('/here', 'soft');
      file.create_external_link('/etc/passwd', '/', 'external');
    }, options);
    expect(open(bytes).names).toEqual(['here']);
  });

  test.each<[string, Parameters<File['create_dataset']>[0], string]>([
    ['chunks', { name: 'x', data: new Float32Array(8), shape: [8], chunks: [4], maxshape: [null] }, 'in one piece'],
    [
      'compressed values',
      { name: 'x', data: new Float32Array(8), shape: [8], chunks: [8], compression: 4 },
      'in one piece',
    ],
    ['integers', { name: 'x', data: new Int32Array(8) }, 'to be of float32, float64, float16 or bfloat16'],
  ])('%s are refused', (_, settings, expected) => {
    const root = open(written((file) => file.create_dataset(settings), options));
    expect(() => root.values('x')).toThrow(expected);
    expect(() => root.values('x')).toThrow(expect.objectContaining({ code: 'invalid-data' }));
  });
});

test('big-endian floats are refused', () => {
  const bytes = writeHdf5({ members: new Map([['x', dataset([1], 1)]]) });
  const type = Buffer.from(bytes).indexOf(Uint8Array.of(0x11, 0x20, 31, 0));
  bytes[type + 1]! |= 1;
  expect(readByLibhdf5(bytes, (file) => (file.get('x') as Dataset).dtype)).toBe('>f');
  expect(() => open(bytes).values('x')).toThrow('to be of float32, float64, float16 or bfloat16');
});

test.each([
  ['float16', [5, 10, 15], [0x3c, 0x00, 0xc0, 0x00, 0x00, 0x01], [1, -2, 2 ** -24]],
  ['bfloat16', [8, 7, 127], [0x3f, 0x80, 0xc0, 0x00, 0x00, 0x01], [1, -2, 2 ** -133]],
])('%s', (_, [exponent, mantissa, bias], bits, expected) => {
  // Half as many bytes: the values take the place of one float32 and a half.
  const bytes = writeHdf5({ members: new Map([['x', dataset([3], 1, 2, 3)]]) });
  const file = Buffer.from(bytes.buffer);
  const values = file.indexOf(new Uint8Array(Float32Array.of(1, 2, 3).buffer));
  bits.forEach((byte, i) => {
    bytes[values + (i ^ 1)] = byte;
  });
  const type = file.indexOf(Uint8Array.of(0x11, 0x20, 31, 0));
  bytes.set([0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, mantissa!, exponent!, 0, mantissa!, bias!], type);
  expect(open(bytes).values('x')?.data).toEqual(Float32Array.from(expected));
});

test('large groups of the newest format are refused with a word of how to write them', () => {
  const bytes = written(
    (file) => {
      for (let i = 0; i < 20; i++) file.create_group(`g${i}`);
    },
    { libver: 'latest' },
  );
  expect(() => open(bytes)).toThrow("groups as h5py writes them unless told to take libver='latest'");
});

test('many attributes of the newest format, too', () => {
  const bytes = written(
    (file) => {
      for (let i = 0; i < 20; i++) file.create_attribute(`a${i}`, 'x');
    },
    { libver: 'latest' },
  );
  expect(() => open(bytes)).toThrow("attributes as h5py writes them unless told to take libver='latest'");
});

test("a block of the user's own before the file", () => {
  const bytes = writeHdf5({ members: new Map([['x', dataset([2], 1, 2)]]) });
  const moved = new Uint8Array(1024 + bytes.length);
  moved.set(bytes, 1024);
  new DataView(moved.buffer).setBigUint64(1024 + 24, 1024n, true);
  expect(open(moved).values('x')).toEqual(dataset([2], 1, 2));
});
