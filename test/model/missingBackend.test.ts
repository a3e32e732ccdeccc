// In a file of its own: nothing here may import a backend.
import { input } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { convBlock, depthwiseConvBlock, describeMobilenetV1, MobilenetError, mobilenetV1 } from '../../src/index';

const image = () => input({ shape: [8, 8, 3] });
const builders: Record<string, () => unknown> = {
  mobilenetV1: () => mobilenetV1(),
  convBlock: () => convBlock(image(), { filters: 4 }),
  depthwiseConvBlock: () => depthwiseConvBlock(image(), { filters: 4 }),
};

for (const [name, build] of Object.entries(builders)) {
  test(`${name} without a backend names the line to add`, () => {
    expect(build).toThrow(MobilenetError);
    expect(build).toThrow(`${name}: expected a tfjs backend, received none. Add the line: import '@tensorflow/tfjs-`);
  });
}

test('describeMobilenetV1 needs none', () => {
  expect(describeMobilenetV1().parameters).toBe(4_253_864);
});
