import { strToU8, unzipSync, type Zippable, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { openHdf5 } from '../../src/formats/keras/hdf5/hdf5Group';
import { type GroupToWrite, writeHdf5 } from '../../src/formats/keras/hdf5/writeHdf5';
import { readKerasArchive, readKerasH5 } from '../../src/formats/keras/readKeras';
import type { Values } from '../../src/formats/networkWeights';
import { goldenFile } from './kerasFiles';

type Bytes = Uint8Array<ArrayBuffer>;

test.each(['keras2_published.h5', 'keras3.weights.h5'])('%s cut short anywhere', async (name) => {
  const whole = goldenFile(name);
  for (let length = 0; length < whole.length; length = Math.ceil(length * 1.1) + 1) {
    await expect(readKerasH5({ bytes: whole.slice(0, length), where: 'x.h5' })).rejects.toMatchObject({
      code: 'invalid-data',
    });
  }
});

/** Reads a file that is refused, and how. */
async function expectRefusal(reading: Promise<unknown>, expected: string): Promise<void> {
  const refusal = expect(reading).rejects;
  await refusal.toMatchObject({ name: 'MobilenetError', code: 'invalid-data' });
  await refusal.toThrow(expected);
}

const readH5 = (bytes: Bytes) => readKerasH5({ bytes, where: 'x.h5' });

const values = (...shape: number[]): Values => ({
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});

const group = (members: Record<string, GroupToWrite | Values>, attributes = {}): GroupToWrite => ({
  members: new Map(Object.entries(members)),
  attributes,
});

/** Places of a structure in a file. */
function placesOf(bytes: Bytes, signature: string): number[] {
  const file = Buffer.from(bytes.buffer);
  const places: number[] = [];
  for (let at = file.indexOf(signature); at >= 0; at = file.indexOf(signature, at + 1)) places.push(at);
  return places;
}

function setU64(bytes: Bytes, at: number, value: number): void {
  new DataView(bytes.buffer).setBigUint64(at, BigInt(value), true);
}

const getU64 = (bytes: Bytes, at: number) => Number(new DataView(bytes.buffer).getBigUint64(at, true));

/** Where a group's only entry says where its member is. */
const ENTRY = 8 + 8;

describe('HDF5 that leads astray is refused', () => {
  test('a node of a tree below itself', () => {
    const bytes = writeHdf5(group({ x: values(1) }));
    const [tree] = placesOf(bytes, 'TREE');
    bytes[tree! + 5] = 1;
    setU64(bytes, tree! + 24 + 8, tree!);
    expect(() => openHdf5(bytes, 'x')).toThrow("a group's tree of an HDF5 file");
  });

  test('a tree of many levels that meet again and again', () => {
    // Each of 30 nodes has both of its children in the next one: 2^30 ways.
    const nodes = Array.from({ length: 30 }, (_, i) => [`n${i}`, group({})] as const);
    const bytes = writeHdf5(group(Object.fromEntries(nodes)));
    const trees = placesOf(bytes, 'TREE');
    for (const [i, tree] of trees.slice(0, -1).entries()) {
      bytes[tree + 5] = trees.length - 1 - i;
      bytes[tree + 6] = 2;
      for (const child of [8, 24]) setU64(bytes, tree + 24 + child, trees[i + 1]!);
    }
    // The root's own tree is the last that was written, and has the names; now its symbol table leads to the first.
    setU64(bytes, getU64(bytes, 64) + 16 + 8, trees[0]!);
    expect(() => openHdf5(bytes, 'x')).toThrow("a group's tree of an HDF5 file");
  });

  test('a header that goes on in itself', () => {
    const bytes = writeHdf5(group({ x: values(1) }, { name: 'a text of some length' }));
    const header = getU64(bytes, 64);
    const length = new DataView(bytes.buffer).getUint32(header + 8, true);
    const attribute = header + 16 + 24;
    new DataView(bytes.buffer).setUint16(attribute, 0x10, true);
    setU64(bytes, attribute + 8, header + 16);
    setU64(bytes, attribute + 16, length);
    expect(() => openHdf5(bytes, 'x')).toThrow('one that leads in circles');
  });

  test('a model inside of itself', async () => {
    const bytes = writeHdf5(group({ layers: group({ functional: group({ layers: group({}) }) }) }));
    // Tables of symbols are written from the inside out; the innermost group has none.
    const [functional, , root] = placesOf(bytes, 'SNOD');
    setU64(bytes, functional! + ENTRY, getU64(bytes, root! + ENTRY));
    await expectRefusal(readH5(bytes), 'at most 20 models inside of each other');
  });

  test('a thousand weights that are the same megabyte', async () => {
    const layers = Array.from({ length: 1000 }, (_, i) => `layer${i}`);
    const members = layers.map((name) => [name, group({ 'kernel:0': values(1) }, { weight_names: ['kernel:0'] })]);
    const weights = group({ ...Object.fromEntries(members), large: values(262_144) }, { layer_names: layers });
    const bytes = writeHdf5(weights);
    const [large, ...others] = layoutsOf(bytes, 262_144);
    for (const layout of others) bytes.copyWithin(layout - 64, large! - 64, large! + 24);
    await expectRefusal(readH5(bytes), 'one that leads in circles');
  });

  test('a weight of more values than the file has bytes', () => {
    const bytes = writeHdf5(group({ x: values(2, 3) }));
    const [dataspace] = placesOf(bytes, '\x01\x02\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03');
    setU64(bytes, dataspace! + 8, 2 ** 40);
    setU64(bytes, dataspace! + 16, 2 ** 40);
    expect(() => openHdf5(bytes, 'x').values('x')).toThrow('an array of at most 6 values');
  });

  test('a text longer than any that Keras writes', () => {
    const bytes = writeHdf5({ attributes: { text: 'x'.repeat(61_000) } });
    const reference = Buffer.from(bytes.buffer).lastIndexOf(new Uint8Array(Uint32Array.of(61_000).buffer));
    new DataView(bytes.buffer).setUint32(reference, 2 ** 23 + 1, true);
    expect(() => openHdf5(bytes, 'x').strings('text')).toThrow('strings of at most 8388608 bytes');
    new DataView(bytes.buffer).setUint32(reference, 2 ** 23, true);
    expect(() => openHdf5(bytes, 'x').strings('text')).toThrow(
      '8388608 bytes in a heap of an HDF5 file, received 61000',
    );
  });
});

/** Where the layouts of all datasets say where their values are; first that of the largest. */
function layoutsOf(bytes: Bytes, largest: number): number[] {
  const layouts = placesOf(bytes, '\x08\0\x18\0\0\0\0\0\x03\x01');
  const length = (at: number) => getU64(bytes, at + 8 + 10);
  const first = layouts.find((at) => length(at) === 4 * largest)!;
  return [first, ...layouts.filter((at) => at !== first)];
}

describe('a .keras file is refused', () => {
  const golden = unzipSync(goldenFile('keras3.keras')) as Record<string, Bytes>;
  const archive = (files: Zippable) => readKerasArchive({ bytes: zipSync(files), where: 'x.keras' });
  const withConfig = (config: unknown) => archive({ ...golden, 'config.json': strToU8(JSON.stringify(config)) });

  test('that is no archive, or has not what it needs', async () => {
    await expectRefusal(readKerasArchive({ bytes: new Uint8Array(0), where: 'x' }), 'a zip archive');
    await expectRefusal(readKerasArchive({ bytes: new Uint8Array(1000), where: 'x' }), 'a zip archive');
    await expectRefusal(archive({}), 'config.json and model.weights.h5 in a .keras file, received neither');
    const { 'model.weights.h5': _, ...others } = golden;
    await expectRefusal(
      archive({ ...others, 'model.weights.npz': new Uint8Array(9) }),
      'received metadata.json, config',
    );
  });

  test('that is a bomb: weights of 20 MB of zeros in 20 kB', async () => {
    const zeros = new Uint8Array(20e6);
    const files: Zippable = { 'config.json': strToU8('{}'), 'model.weights.h5': [zeros, { level: 6 }] };
    await expectRefusal(archive(files), '20000000 bytes of model.weights.h5');
  });

  test('whose configuration is too long', async () => {
    await expectRefusal(archive({ ...golden, 'config.json': new Uint8Array(9e6) }), '9000000 bytes of config.json');
  });

  test.each<[string, (bytes: Bytes, entry: number) => void]>([
    ['smaller than it is', (bytes, entry) => new DataView(bytes.buffer).setUint32(entry + 24, 100, true)],
    ['larger', (bytes, entry) => new DataView(bytes.buffer).setUint32(entry + 24, 70_000_000, true)],
  ])('that says a compressed file to be %s', async (_, change) => {
    const noise = Uint8Array.from({ length: 1e6 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    const bytes = Uint8Array.from(zipSync({ 'config.json': strToU8('{}'), 'model.weights.h5': noise }, { level: 6 }));
    // The directory at the end has the entries again.
    const entries = placesOf(bytes, 'PK\x01\x02');
    change(bytes, entries[1]!);
    await expect(readKerasArchive({ bytes, where: 'x' })).rejects.toMatchObject({ code: 'invalid-data' });
  });

  test('with a file twice', async () => {
    const bytes = Uint8Array.from(zipSync({ ...golden, 'confib.json': golden['config.json']! }));
    const name = new TextEncoder().encode('config.json');
    for (const at of placesOf(bytes, 'confib.json')) bytes.set(name, at);
    await expectRefusal(readKerasArchive({ bytes, where: 'x' }), 'config.json once in the archive');
  });

  test('with files beside it that nobody asks for, is read', async () => {
    const { layers } = await archive({ ...golden, '../../escaped': strToU8('x'), __proto__x: strToU8('x') });
    expect(layers).toHaveLength(55);
  });

  test.each<[string, unknown, string]>([
    ['text', 'text', 'layers with class names'],
    ['a layer', { class_name: 'Dense', config: {} }, 'the configuration of a model'],
    ['layers without classes', { class_name: 'Functional', config: { layers: [{}] } }, 'layers with class names'],
    ['no settings', { class_name: 'Functional', config: 3 }, 'a configuration of the Functional'],
    [
      'fewer layers',
      { class_name: 'Functional', config: { layers: [] } },
      'weights of the layers of its configuration',
    ],
    [
      'more layers',
      { class_name: 'F', config: { layers: Array(99).fill({ class_name: 'Conv2D', config: { name: 'c' } }) } },
      'weights of layer c',
    ],
  ])('whose configuration is of %s', async (_, config, expected) => {
    await expectRefusal(withConfig(config), expected);
  });

  test('whose configuration has models inside of models without end', async () => {
    const depth = 100_000;
    const json = `${'{"class_name":"F","config":{"layers":['.repeat(depth)}${']}}'.repeat(depth)}`;
    await expectRefusal(archive({ ...golden, 'config.json': strToU8(json) }), 'layers with class names');
    await expectRefusal(archive({ ...golden, 'config.json': strToU8('['.repeat(1e6)) }), 'a configuration in JSON');
  });

  test('names that are no text, and a prototype, change nothing', async () => {
    const config = JSON.parse(new TextDecoder().decode(golden['config.json']));
    for (const layer of config.config.layers) Object.assign(layer.config, { name: { toString: 1 }, epsilon: '1' });
    const json = JSON.stringify(config).replaceAll('"kernel_size"', '"__proto__":{"polluted":1},"kernel_size"');
    const { layers } = await archive({ ...golden, 'config.json': strToU8(json) });
    expect(layers).toHaveLength(55);
    expect('polluted' in {}).toBe(false);
  });

  test('metadata that are not as ours are left out', async () => {
    const metadata = {
      'mobilenet-v1-ts': {
        classNames: ['a', 1],
        inputRange: [1, -1],
        fit: 'x',
        cropFraction: 2,
        cropAfterResize: 1,
        interpolation: 'x',
        else: 1,
      },
    };
    const weights = await archive({ ...golden, 'metadata.json': strToU8(JSON.stringify(metadata)) });
    expect(Object.keys(weights).toSorted()).toEqual(['format', 'layers', 'padding', 'where']);
  });
});

describe('an .h5 file is refused', () => {
  test.each<[string, GroupToWrite, string]>([
    ['without weights', group({ a: group({}, { weight_names: [] }) }, { layer_names: ['a'] }), 'layers with weights'],
    ['that is not of Keras', group({ data: values(3) }), 'layer_names of a Keras file'],
    [
      'that lacks a weight',
      group({ a: group({}, { weight_names: ['a/kernel:0'] }) }, { layer_names: ['a'] }),
      'weight a/kernel:0 of layer a',
    ],
    [
      'that has a weight twice',
      group({ a: group({ k: values(1) }, { weight_names: ['k', 'k'] }) }, { layer_names: ['a'] }),
      'one weight k of layer a',
    ],
    [
      'with weights of layers that its configuration has not',
      {
        ...group({
          model_weights: group({ a: group({ k: values(1) }, { weight_names: ['k'] }) }, { layer_names: ['a'] }),
        }),
        attributes: { model_config: JSON.stringify({ class_name: 'F', config: { layers: [] } }) },
      },
      'received others: a',
    ],
    [
      'with weights of another kind',
      group({ a: group({ alpha: values(1) }, { weight_names: ['alpha'] }) }, { layer_names: ['a'] }),
      "layer 'a' with alpha",
    ],
    [
      'with layers that do not fit',
      group(
        Object.fromEntries(
          ['a', 'b'].map((name) => [name, group({ kernel: values(3, 4) }, { weight_names: ['kernel'] })]),
        ),
        { layer_names: ['a', 'b'] },
      ),
      'layers whose channels fit one behind the other',
    ],
    [
      'of layers by number whose order nobody knows',
      group({
        layers: group({
          dense: group({ vars: group({ 0: values(3, 4) }) }),
          conv2d: group({ vars: group({ 0: values(1, 1, 5, 3) }) }),
          batch_normalization: group({ vars: group({ 0: values(4), 1: values(4) }) }),
        }),
      }),
      'the layers of a MobileNetV1, whose order is known',
    ],
    [
      'of layers by number of other classes',
      group({ layers: group({ lstm: group({ vars: group({ 0: values(3, 4) }) }) }) }),
      'received layers/lstm',
    ],
    [
      'of a batch norm that has either gamma or beta',
      group({
        layers: group({ batch_normalization: group({ vars: group({ 0: values(4), 1: values(4), 2: values(4) }) }) }),
      }),
      'gamma, beta, moving_mean, moving_variance in layers/batch_normalization',
    ],
  ])('%s', async (_, file, expected) => {
    await expectRefusal(readH5(writeHdf5(file)), expected);
  });
});
