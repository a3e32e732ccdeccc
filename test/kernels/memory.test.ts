import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import type { WasmBackend } from '../../src/kernels/wasmBackend';
import { gradientCase, randomValues, relativeError } from './harness';
import { type ConvolutionOptions, convolution } from './reference';

let wasm: WasmBackend['wasm'] & { HEAPU8: Uint8Array };

beforeAll(async () => {
  await registerWasmTrainingKernels();
  await tf.setBackend('wasm');
  wasm = (tf.backend() as unknown as { wasm: typeof wasm }).wasm;
});

const run = (name: string, inputs: tf.NamedTensorMap, attrs: object) =>
  tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;

test('memory that grows for the output: the same bits as JavaScript, tensors still readable', () => {
  const before = wasm.HEAPU8.length;
  const [P, C] = [Math.ceil(before / 256) + 1, 64];
  const [dyValues, filterValues] = [randomValues([P], 1), randomValues([C], 2)];
  const inputs = { dy: tf.tensor(dyValues, [1, 1, P, 1]), filter: tf.tensor(filterValues, [1, 1, C, 1]) };
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', inputShape: [1, 1, P, C] };
  const dx = run('Conv2DBackpropInput', inputs, attrs);
  expect(wasm.HEAPU8.length).toBeGreaterThan(before);
  const expected = Float32Array.from({ length: P * C }, (_, i) => dyValues[Math.floor(i / C)]! * filterValues[i % C]!);
  expect(Buffer.compare(bytesOf(dx), Buffer.from(expected.buffer))).toBe(0);
  expect(inputs.dy.dataSync()).toEqual(dyValues);
  tf.dispose([dx, inputs.dy, inputs.filter]);
});

test('memory that grows for the scratch: the same bits as JavaScript, tensors still readable', () => {
  const before = wasm.HEAPU8.length;
  const C = Math.ceil(before / 1024) + 1; // The scratch holds 256 pixels of 4 bytes a channel.
  const [xValues, dyValues] = [randomValues([C], 1), randomValues([3], 2)];
  const inputs = { x: tf.tensor(xValues, [1, 1, 1, C]), dy: tf.tensor(dyValues, [1, 1, 1, 3]) };
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', filterShape: [1, 1, C, 3] };
  const dw = run('Conv2DBackpropFilter', inputs, attrs);
  expect(wasm.HEAPU8.length).toBeGreaterThan(before);
  const expected = Float32Array.from({ length: C * 3 }, (_, i) => xValues[Math.floor(i / 3)]! * dyValues[i % 3]!);
  expect(Buffer.compare(bytesOf(dw), Buffer.from(expected.buffer))).toBe(0);
  expect(inputs.x.dataSync()).toEqual(xValues);
  tf.dispose([dw, inputs.x, inputs.dy]);
});

const bytesOf = (tensor: tf.Tensor) => Buffer.from(tensor.dataSync<'float32'>().buffer);

test('200 calls of each kernel, good and bad ones, leak neither tensors nor scratch', () => {
  const x = tf.ones([1, 3, 3, 256]);
  const filter = tf.ones([3, 3, 256, 1]);
  const dy = tf.ones([1, 3, 3, 1]);
  const depthwiseDy = tf.ones([1, 3, 3, 256]);
  const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: filter.shape, inputShape: x.shape };
  const callAll = () => {
    run('Conv2DBackpropFilter', { x, dy }, attrs).dispose();
    run('Conv2DBackpropInput', { dy, filter }, attrs).dispose();
    run('DepthwiseConv2dNativeBackpropFilter', { x, dy: depthwiseDy }, attrs).dispose();
    run('DepthwiseConv2dNativeBackpropInput', { dy: depthwiseDy, filter }, attrs).dispose();
    expect(() => run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: [3, 3, 2, 2] })).toThrow(
      MobilenetError,
    );
  };
  callAll();
  const [tensors, bytes] = [tf.memory().numTensors, wasm.HEAPU8.length];
  // 2.4 MB of scratch a call: 200 that are not freed exceed the heap of the tests above by far.
  for (let i = 0; i < 200; i++) callAll();
  expect(tf.memory().numTensors).toBe(tensors);
  expect(wasm.HEAPU8.length).toBe(bytes);
  tf.dispose([x, filter, dy, depthwiseDy]);
});

// These two fill the 4 GB of address space (nothing touches it, so it costs no real memory); they come last.
test('tensors above 2 GB: relative error < 1e-6', async () => {
  const block = wasm._malloc(2_100_000_000);
  expect(block).not.toBe(0);
  // What is free below is taken, so that everything else lies above.
  const small: number[] = [];
  for (let offset = 0; offset < 2 ** 31; offset = small.at(-1)! >>> 0) small.push(wasm._malloc(4_000_000));
  const options: ConvolutionOptions = { xShape: [2, 17, 15, 8], filter: [3, 3], F: 16 };
  for (const c of [convolution(options), convolution({ ...options, F: 2, isDepthwise: true })]) {
    for (const gradient of ['filter', 'input'] as const) {
      const { run, expected, magnitude } = gradientCase(gradient, c, 1);
      expect(relativeError(await run('wasm'), expected, magnitude)).toBeLessThan(1e-6);
    }
  }
  for (const offset of [block, ...small]) wasm._free(offset);
});

test('out of memory is a clear error, and leaves nothing behind', () => {
  const blocks = [wasm._malloc(2_000_000_000), wasm._malloc(1_900_000_000)];
  expect(blocks).not.toContain(0);
  const inputs = { dy: tf.ones([1, 1, 1, 1]), filter: tf.ones([1, 1, 1, 1]) };
  const tensors = tf.memory().numTensors;
  for (const size of [20_000, 40_000]) {
    const attrs = { strides: [size, size], pad: 'valid', dataFormat: 'NHWC', inputShape: [1, size, size, 1] };
    expect(() => run('Conv2DBackpropInput', inputs, attrs)).toThrow(/room for a tensor .* Use a smaller batch/);
  }
  // tfjs's own kernel would write over whatever lies at offset 0.
  const row = tf.ones([1, 20_000]);
  expect(() => tf.tile(row, [20_000, 1])).toThrow(/Tile: .*room for a tensor \[20000,20000\]/);
  row.dispose();
  expect(tf.memory().numTensors).toBe(tensors);
  for (const offset of blocks) wasm._free(offset);
  tf.dispose([inputs.dy, inputs.filter]);
});
