import { describe, expect, test } from 'vitest';
import { imagenetClasses } from '../../src/formats/pretrained/imagenetClasses';
import {
  checkPretrainedNetwork,
  type PretrainedSource,
  pretrainedFamilies,
  pretrainedFiles,
} from '../../src/formats/pretrained/pretrainedNetworks';
import { mobilenetV1Rows, scaleFilters } from '../../src/model/architecture';

describe('the public addresses', () => {
  const urls = pretrainedFiles().map(({ url }) => url);
  const keras = 'https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/';
  const tfjs = 'https://storage.googleapis.com/tfjs-models/tfjs/';
  const timm = 'https://huggingface.co/timm/';

  // Each as it stands in Keras's source, in logs of its downloads, in timm's model hub or in published uses of tfjs.
  test.each([
    `${keras}mobilenet_1_0_224_tf.h5`,
    `${keras}mobilenet_1_0_224_tf_no_top.h5`,
    `${keras}mobilenet_7_5_192_tf.h5`,
    `${keras}mobilenet_5_0_160_tf_no_top.h5`,
    `${keras}mobilenet_2_5_128_tf.h5`,
    `${timm}mobilenetv1_100.ra4_e3600_r224_in1k/resolve/main/model.safetensors`,
    `${timm}mobilenetv1_125.ra4_e3600_r224_in1k/resolve/main/model.safetensors`,
    `${tfjs}mobilenet_v1_0.25_224/model.json`,
    `${tfjs}mobilenet_v1_0.50_224/model.json`,
    `${tfjs}mobilenet_v1_0.75_224/model.json`,
    `${tfjs}mobilenet_v1_1.0_224/model.json`,
  ])('%s', (url) => expect(urls).toContain(url));

  test('32 of Keras, 2 of timm with their pointers, 4 of tfjs; each once', () => {
    expect(new Set(urls).size).toBe(urls.length);
    const count = (source: PretrainedSource) => pretrainedFiles().filter(({ network }) => network.source === source);
    expect(count('keras')).toHaveLength(32);
    expect(count('tfjs')).toHaveLength(4);
    expect(count('timm').map(({ checksum }) => checksum)).toEqual([
      { pointerUrl: `${timm}mobilenetv1_100.ra4_e3600_r224_in1k/raw/main/model.safetensors` },
      { pointerUrl: `${timm}mobilenetv1_125.ra4_e3600_r224_in1k/raw/main/model.safetensors` },
    ]);
    for (const { network } of pretrainedFiles()) expect(() => checkPretrainedNetwork('test', network)).not.toThrow();
  });
});

// As in WEIGHTS_HASHES of Keras's source.
test.each([
  [`mobilenet_1_0_224_tf.h5`, '006a2d9484fbea625dd4e6518652c101a3eca052671671c56265fc84f2e1181f'],
  [`mobilenet_7_5_160_tf_no_top.h5`, '6056d87ad4e3b341cc8272d68b54a8a113ef0b0e5ab1399e4a801d2942a064fa'],
  [`mobilenet_2_5_128_tf.h5`, 'fe295db7f78635f1403127e3ba8cdc6237f83262bdb745063a67c1d81190c7f8'],
])('Keras publishes the digest of %s, and 31 others', (name, sha256) => {
  const files = pretrainedFiles().filter(({ network }) => network.source === 'keras');
  expect(files.find(({ url }) => url.endsWith(`/${name}`))!.checksum).toEqual({ sha256 });
  const digests = files.map(({ checksum }) => JSON.stringify(checksum));
  expect(new Set(digests).size).toBe(32);
  for (const digest of digests) expect(digest).toMatch(/^{"sha256":"[0-9a-f]{64}"}$/);
});

describe('how accuracy was measured', () => {
  const slim = { cropFraction: 0.875, cropAfterResize: false, interpolation: 'bilinear' };
  // It resizes to 256, 269, 248 and 256 pixels, then cuts the centre out.
  const timm = (cropFraction: number) => ({ cropFraction, cropAfterResize: true, interpolation: 'bicubic' });

  test.each([
    ['keras', 1, 224, slim],
    ['tfjs', 0.25, 224, slim],
    ['timm', 1, 224, timm(224 / 256)],
    ['timm', 1, 256, timm(256 / 269)],
    ['timm', 1.25, 224, timm(224 / 248)],
    ['timm', 1.25, 256, timm(1)],
  ] as const)('%s, alpha %d at %d', (source, alpha, resolution, expected) => {
    const network = { source, alpha, resolution };
    expect(pretrainedFamilies[source].preprocessingOf(network)).toEqual({ inputRange: [-1, 1], ...expected });
  });
});

test.each([
  ['keras', 1.25, 224],
  ['keras', 0.3, 224],
  ['keras', 1, 225],
  ['timm', 0.75, 224],
  ['timm', 1, 31],
  ['timm', 1, 224.5],
  ['tfjs', 0.25, 192],
  ['torchvision', 1, 224],
  ['toString', 1, 224],
] as const)('%s, alpha %d at %d does not exist: those that do are listed', (source, alpha, resolution) => {
  const check = () => checkPretrainedNetwork('loadPretrained', { source, alpha, resolution } as never);
  expect(check).toThrow(
    'expected one of keras, alpha 1, 0.75, 0.5, 0.25 at 224, 192, 160, 128; timm, alpha 1, 1.25 at 32 or more; ' +
      `tfjs, alpha 1, 0.75, 0.5, 0.25 at 224, received`,
  );
  expect(check).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('timm rounds filters to multiples of 8, which floor(filters * 1.25) are already', () => {
  for (const { filters } of mobilenetV1Rows) {
    expect(scaleFilters(filters, 1.25) % 8).toBe(0);
    expect(scaleFilters(filters, 1.25)).toBe(filters * 1.25);
  }
});

test('1,000 classes, in the order of their WordNet ids', () => {
  expect(imagenetClasses).toHaveLength(1000);
  expect(imagenetClasses.every((name) => name !== '' && name === name.trim())).toBe(true);
  for (const [index, name] of [
    [0, 'tench, Tinca tinca'],
    [281, 'tabby, tabby cat'],
    [386, 'African elephant, Loxodonta africana'],
    [999, 'toilet tissue, toilet paper, bathroom tissue'],
  ] as const) {
    expect(imagenetClasses[index]).toBe(name);
  }
});
