import { expect, test } from 'vitest';
import { type CheckpointWriter, differenceOf } from '../../src/train/checkpointRecord';

const engine: CheckpointWriter = { version: '1.0.0', engine: 'fused', module: 'simd', backend: 'cpu' };
const tfjs: CheckpointWriter = { version: '1.0.0', engine: 'tfjs', module: undefined, backend: 'cpu' };

test.each<[CheckpointWriter, CheckpointWriter]>([
  [engine, { ...engine, version: '1.0.1' }],
  [engine, { ...engine, module: 'relaxed-simd' }],
  [engine, tfjs],
  [tfjs, { ...tfjs, backend: 'wasm' }],
])('%o and %o may round otherwise', (there, here) => {
  expect(differenceOf(there, here)).toMatch(
    /^was written by version 1\.0\.0, .* and goes on with version 1\.0\.[01], /,
  );
});

test('the engine has the same bits on any backend', () => {
  expect(differenceOf(engine, { ...engine, backend: 'wasm' })).toBeUndefined();
});
