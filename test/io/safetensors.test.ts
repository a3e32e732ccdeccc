import { describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import { createRandom, type Random } from '../../src/random';

type Bytes = Uint8Array<ArrayBuffer>;

/** What `safetensors.torch.save` 0.8.0 made: a tensor of each kind that is read, an empty one, a scalar, and a text. */
const GOLDEN =
  'oAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJtYWRlIGJ5Ijoic2FmZXRlbnNvcnMgMC44LjAgXCLDvFwiIn0sInN0ZXBzIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUi' +
  'OltdLCJkYXRhX29mZnNldHMiOlswLDhdfSwiZW1wdHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsM10sImRhdGFfb2Zmc2V0cyI6WzgsOF19LCJrZXJuZWwi' +
  'OnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzgsMzJdfSwibGFiZWxzIjp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOlsyXSwiZGF0' +
  'YV9vZmZzZXRzIjpbMzIsNDBdfSwiYnJhaW4iOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNDAsNDZdfSwiaGFsZiI6eyJkdHlw' +
  'ZSI6IkYxNiIsInNoYXBlIjpbNV0sImRhdGFfb2Zmc2V0cyI6WzQ2LDU2XX19ICAgICAgIMsE+3EfAQAAAADAPwAAEMDNzMw95rFhfwAAAIDCFgEAAQAAAP7///+A' +
  'P0nASnEAPFS1/3sBAAB8';

const golden = (): Bytes => Uint8Array.from(Buffer.from(GOLDEN, 'base64'));

const headerOf = (bytes: Bytes): string => {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
};

/** A file of this header and `values` bytes behind it. */
function fileOf(header: string | Bytes, values = 0): Bytes {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + values);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

describe('reading', () => {
  test("what Python's safetensors wrote", () => {
    const { tensors, metadata } = readSafetensors(golden(), 'golden');
    expect(metadata).toEqual({ 'made by': 'safetensors 0.8.0 "ü"' });
    expect(Object.fromEntries(tensors)).toEqual({
      steps: { dtype: 'I64', shape: [], data: BigInt64Array.of(1234567890123n) },
      empty: { dtype: 'F32', shape: [0, 3], data: new Float32Array() },
      kernel: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1.5, -2.25, 0.1, 3e38, -0, 1e-40) },
      labels: { dtype: 'I32', shape: [2], data: Int32Array.of(1, -2) },
      brain: { dtype: 'BF16', shape: [3], data: Float32Array.of(1, -3.140625, 1.0002555517425873e30) },
      half: {
        dtype: 'F16',
        shape: [5],
        data: Float32Array.of(1, -0.3330078125, 65504, 2 ** -24, Number.POSITIVE_INFINITY),
      },
    });
    expect([...tensors.keys()]).toEqual(['steps', 'empty', 'kernel', 'labels', 'brain', 'half']);
  });

  test('every float16 is the number that its bits say', () => {
    const bytes = fileOf(JSON.stringify({ all: entry('F16', [65536], [0, 131072]) }), 131072);
    for (let bits = 0; bits < 65536; bits++) {
      bytes[bytes.length - 131072 + 2 * bits] = bits & 255;
      bytes[bytes.length - 131072 + 2 * bits + 1] = bits >> 8;
    }
    const { data } = readSafetensors(bytes, 'all').tensors.get('all')!;
    // By counting: from one to the next positive float16 it goes in steps of its binade.
    let value = 0;
    for (let bits = 0; bits < 0x7c00; bits++) {
      expect(data[bits] === value && Object.is(data[bits + 0x8000], -value)).toBe(true);
      value += 2 ** (Math.max(1, bits >> 10) - 25);
    }
    expect([data[0x7c00], data[0xfc00], data[0x7e00], data[0xffff]]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      Number.NaN,
    ]);
  });

  test('where values begin is free: odd places, and bytes in the middle of a buffer', () => {
    const file = fileOf(JSON.stringify({ a: entry('F16', [1], [0, 2]), b: entry('F32', [1], [2, 6]) }), 6);
    file.set([0, 0x3c, 0, 0, 0xc0, 0x3f], file.length - 6);
    const bytes = new Uint8Array(file.length + 4).subarray(3, 3 + file.length);
    bytes.set(file);
    const { tensors } = readSafetensors(bytes, 'odd');
    expect([tensors.get('a')!.data[0], tensors.get('b')!.data[0]]).toEqual([1, 1.5]);
  });
});

describe('writing', () => {
  const tensors = new Map([
    ['b', { shape: [2, 2], data: Float32Array.of(1, Number.NaN, -0, 1e-45) }],
    ['0', { shape: [], data: Float32Array.of(7) }],
    ['a "ü"', { shape: [0], data: new Float32Array() }],
    ['part', { shape: [2], data: new Float32Array(9).fill(3).subarray(3, 5) }],
  ]);

  test('comes back: names, order, shapes, bits, metadata', () => {
    const bytes = writeSafetensors(tensors, { step: '12' });
    const content = readSafetensors(bytes, 'own');
    expect(content.metadata).toEqual({ step: '12' });
    expect([...content.tensors]).toEqual([...tensors].map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }]));
    expect(Object.is(content.tensors.get('b')!.data[2], -0)).toBe(true);
  });

  test('to the byte, with values that begin at a multiple of 8', () => {
    const bytes = writeSafetensors(new Map([['w', { shape: [1, 2], data: Float32Array.of(1, -2) }]]));
    const header = '{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
    expect(headerOf(bytes)).toBe(header);
    expect([...bytes.subarray(-8)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
    for (const name of ['w', 'ww', 'www', 'wwwwwwww']) {
      const file = writeSafetensors(new Map([[name, { shape: [1], data: Float32Array.of(1) }]]));
      expect((file.length - 4) % 8).toBe(0);
      expect(headerOf(file).trimEnd()).toContain(`"${name}"`);
    }
    expect(readSafetensors(writeSafetensors(new Map()), 'none').tensors.size).toBe(0);
  });

  test.each([
    ['a shape that does not fit', 'w', [3]],
    ['a shape that is none', 'w', [2, 0.5, 2]],
    ["the format's own name", '__metadata__', [2]],
    ['a name that could swap a prototype', '__proto__', [2]],
  ])('refuses %s', (_, name, shape) => {
    const write = () => writeSafetensors(new Map([[name, { shape, data: new Float32Array(2) }]]));
    expect(write).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('hostile files are refused by name', () => {
  const f32 = (begin: number, end: number) => entry('F32', [(end - begin) / 4], [begin, end]);
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const json = (header: unknown, values = 0) => fileOf(JSON.stringify(header), values);
  const long = fileOf('{}');
  new DataView(long.buffer).setBigUint64(0, 2n ** 63n, true);

  test.each<[string, Bytes, RegExp]>([
    ['nothing', new Uint8Array(), /received 0 bytes/],
    ['seven bytes', new Uint8Array(7), /received 7 bytes/],
    ['a header longer than the file', fileOf('{}').subarray(0, 9), /expected a header of 2 bytes, received 1\./],
    ['a header of 2^63 bytes', long, /at most 100000000 bytes/],
    ['no JSON', fileOf('{"w":'), /a safetensors header/],
    ['no header', fileOf(''), /a safetensors header/],
    ['no UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /a safetensors header/],
    ['a list', fileOf('[]'), /no object/],
    ['null', fileOf('null'), /no object/],
    ['a deep list', fileOf(`{"w":${deep}}`), /deeper/],
    ['a tensor named __proto__', fileOf('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /__proto__/],
    ['metadata named __proto__', fileOf('{"__metadata__":{"__proto__":"x"}}'), /__proto__/],
    ['metadata that is no text', json({ __metadata__: { epoch: 3 } }), /__metadata__ of texts/],
    ['metadata that is a list', json({ __metadata__: ['x'] }), /__metadata__ of texts/],
    ['an entry that is none', json({ w: 3 }), /of w/],
    ['an unknown dtype', json({ w: entry('F8_E4M3', [4], [0, 4]) }, 4), /dtype of w to be F32.*float32/],
    ['a dtype that every object has', json({ w: entry('constructor', [1], [0, 4]) }, 4), /dtype/],
    ['no shape', json({ w: entry('F32', undefined, [0, 4]) }, 4), /shape of w/],
    ['a negative size', json({ w: entry('F32', [-1], [0, -4]) }), /shape of w/],
    ['a product that overflows', json({ w: entry('F32', [2 ** 30, 2 ** 30, 2 ** 30], [0, 4]) }, 4), /shape of w/],
    ['a product of infinity and 0', json({ w: entry('F32', [...Array(40).fill(2 ** 52), 0], [0, 0]) }), /shape of w/],
    ['offsets of another length', json({ w: entry('F32', [2], [0, 4]) }, 4), /hold its 8 bytes/],
    ['offsets that run backwards', json({ w: entry('F32', [1], [4, 0]) }, 4), /data_offsets of w/],
    ['offsets that are no numbers', json({ w: entry('F32', [1], ['0', '4']) }, 4), /data_offsets of w/],
    ['one offset', json({ w: entry('F32', [1], [4]) }, 4), /data_offsets of w/],
    ['offsets below 0', json({ w: f32(-4, 0) }), /begin at 0/],
    ['an overlap', json({ v: f32(0, 8), w: f32(4, 12) }, 12), /w to begin at 8/],
    ['twice the same bytes', json({ v: f32(0, 4), w: f32(0, 4) }, 4), /w to begin at 4/],
    ['a hole', json({ v: f32(0, 4), w: f32(8, 12) }, 12), /w to begin at 4/],
    ['a hole at the start', json({ v: f32(4, 8) }, 8), /v to begin at 0/],
    ['values beyond the end', json({ v: f32(0, 4), w: f32(4, 12) }, 8), /12 bytes of values, received 8/],
    ['bytes that belong to nobody', json({ v: f32(0, 4) }, 5), /4 bytes of values, received 5/],
    [
      'a name twice',
      fileOf(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ),
      /a name twice/,
    ],
    ['a key twice', fileOf('{"w":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4), /a name twice/],
  ])('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'a/file')).toThrow(
      expect.objectContaining({ code: 'invalid-data', message: expect.stringMatching(message) }),
    );
    expect(() => readSafetensors(bytes, 'a/file')).toThrow(/^a\/file: /);
  });
});

/** A tensor file with something wrong in its bytes, or in one place of its header. */
function mutate(random: Random): Bytes {
  const bytes = golden();
  const at = random.integer(bytes.length);
  switch (random.integer(5)) {
    case 0:
      bytes[at]! ^= 1 << random.integer(8);
      return bytes;
    case 1:
      bytes[at] = random.integer(256);
      bytes[random.integer(16)]! ^= 1 << random.integer(8);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random.integer(bytes.length))]);
    default:
      return mutateHeader(bytes, random);
  }
}

const ODD = [
  null,
  true,
  '',
  'F32',
  'F16',
  '__proto__',
  -1,
  0,
  1,
  3,
  4,
  8,
  46,
  56,
  0.5,
  2 ** 31,
  2 ** 53,
  1e308,
  [],
  {},
];

function mutateHeader(bytes: Bytes, random: Random): Bytes {
  const text = headerOf(bytes);
  const header = JSON.parse(text);
  const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)]!;
  const target = header[pick(Object.keys(header))];
  const key = pick(Object.keys(target));
  const odd = structuredClone(pick(ODD));
  if (Array.isArray(target[key]) && random.integer(2) === 0) target[key][random.integer(2)] = odd;
  else if (random.integer(4) === 0) header[pick(['steps', 'half', 'new'])] = odd;
  else target[key] = odd;
  const file = fileOf(JSON.stringify(header), 56);
  file.set(bytes.subarray(-56), file.length - 56);
  return file;
}

const seed = 8;
test(`4,000 damaged files: a whole result or a typed error (seed ${seed})`, () => {
  const random = createRandom(seed);
  let read = 0;
  for (let i = 0; i < 4000; i++) {
    const bytes = mutate(random);
    try {
      const { tensors } = readSafetensors(bytes, 'fuzz');
      for (const { shape, data } of tensors.values()) {
        expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      }
      read++;
    } catch (error) {
      if (!(error instanceof MobilenetError)) throw new Error(`round ${i} of seed ${seed}`, { cause: error });
      expect(error.code).toBe('invalid-data');
    }
  }
  // Damage to values is nobody's business but a checksum's.
  expect(read).toBeGreaterThan(100);
  expect(read).toBeLessThan(2000);
});
