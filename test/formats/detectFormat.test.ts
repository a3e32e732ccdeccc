import { describe, expect, test } from 'vitest';
import { detectFormat } from '../../src/formats/detectFormat';
import { readWeights } from '../../src/formats/readWeights';
import { writeSafetensors } from '../../src/io/safetensors';
import { createRandom } from '../../src/random';
import { readBytes } from './networks';

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (...parts: (string | number[])[]): Bytes =>
  Uint8Array.from(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)))),
  );
const json = (value: unknown) => bytesOf(JSON.stringify(value));
const HDF5 = '\x89HDF\r\n\x1a\n';

describe('by content', () => {
  test.each<[string, Bytes, string | undefined]>([
    ['HDF5', bytesOf(HDF5, 'rest'), 'keras-h5'],
    ['HDF5 behind a block of 512 bytes', bytesOf('x'.repeat(512), HDF5), 'keras-h5'],
    ['HDF5 behind a block of 2048 bytes', bytesOf('x'.repeat(2048), HDF5), 'keras-h5'],
    ['a zip file', bytesOf('PK\x03\x04', 'rest'), 'keras'],
    ['TFLite', bytesOf([28, 0, 0, 0], 'TFL3', 'rest'), 'tflite'],
    ['safetensors', writeSafetensors(new Map()), 'safetensors'],
    ['a layers model', json({ modelTopology: { class_name: 'Sequential' }, weightsManifest: [] }), 'tfjs-layers'],
    ['a graph model, by its format', json({ format: 'graph-model', modelTopology: {} }), 'tfjs-graph'],
    ['a graph model, by its nodes', json({ modelTopology: { node: [] } }), 'tfjs-graph'],
    [
      'JSON behind a byte order mark and spaces',
      bytesOf([0xef, 0xbb, 0xbf], ' \n {"modelTopology":{"node":[]}}'),
      'tfjs-graph',
    ],
    ['JSON that is cut off', bytesOf('{"modelTopology":'), 'tfjs-layers'],
    // ir_version 8, producer_name "x", graph of 0 bytes, opset_import of 0 bytes.
    ['ONNX', bytesOf([0x08, 8, 0x12, 1], 'x', [0x3a, 0, 0x42, 0]), 'onnx'],
    ['ONNX, the graph first, a length of two bytes', bytesOf([0x3a, 0x80, 0x01], '\0'.repeat(128), [0x08, 8]), 'onnx'],
    ['protobuf without a graph', bytesOf([0x08, 8, 0x12, 1], 'x'), undefined],
    ['protobuf of other fields', bytesOf([0x4a, 0, 0x3a, 0]), undefined],
    ['protobuf that is cut off', bytesOf([0x08, 8, 0x3a, 5, 0]), undefined],
    ['a graph of the wrong wire type', bytesOf([0x38, 1]), undefined],
    ['a varint without an end', bytesOf(Array(20).fill(0xff)), undefined],
    ['nothing', bytesOf(), undefined],
    ['a list', bytesOf('[1]'), undefined],
    ['text', bytesOf('weights'), undefined],
  ])('%s', (_, bytes, format) => {
    expect(detectFormat(bytes)).toBe(format);
    // In the middle of a buffer, too.
    const inside = new Uint8Array(bytes.length + 7).subarray(3, 3 + bytes.length);
    inside.set(bytes);
    expect(detectFormat(inside)).toBe(format);
  });

  test.each([
    ['timm/timm.safetensors', 'safetensors'],
    ['tfjs/keras3.model', 'tfjs-layers'],
    ['tfjs/graph.model', 'tfjs-graph'],
    ['onnx/torch_folded.onnx', 'onnx'],
    ['tflite/float32.tflite', 'tflite'],
  ])('%s, as its framework wrote it', (path, format) => {
    expect(detectFormat(readBytes(path))).toBe(format);
  });

  test('20,000 random files are of some format or of none, at once (seed 1)', () => {
    const random = createRandom(1);
    const found = new Set(
      Array.from({ length: 20_000 }, () => {
        const bytes = Uint8Array.from({ length: random.integer(40) }, () => random.integer(256));
        if (random.integer(2) === 0) bytes.set([0x08, 8, 0x3a].slice(0, bytes.length));
        return detectFormat(bytes);
      }),
    );
    expect([...found].sort()).toEqual(['onnx', 'tfjs-layers', undefined]);
  });
});

test.each<[string, Bytes, RegExp]>([
  ['nothing', bytesOf(), /received 0 bytes of something else/],
  ['a gzip file', bytesOf([0x1f, 0x8b, 8]), /Unpack it first/],
  ['a pickle', bytesOf([0x80, 2], '}q'), /pickle.*safetensors\.torch\.save_file/],
  ["PyTorch's archive", bytesOf('PK\x03\x04', '\0'.repeat(26), 'model/data.pkl'), /PyTorch's own format.*save_file/],
  ['a page', bytesOf('<!doctype html>'), /HTML or XML/],
])('what else it is: %s', async (_, bytes, message) => {
  const read = readWeights({ bytes, where: 'a/file' });
  await expect(read).rejects.toThrow(expect.objectContaining({ code: 'invalid-data' }));
  await expect(read).rejects.toThrow(/^a\/file: expected weights as Keras/);
  await expect(read).rejects.toThrow(message);
});
