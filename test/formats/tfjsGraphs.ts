import type { LooseJson } from '../io/models';
import { SHARD, type TfjsModel } from './tfjsFiles';

/** A constant of a graph. */
export interface GraphConstant {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

export const text = (value: string) => ({ s: base64(value) });
export const texts = (...values: string[]) => ({ list: { s: values.map(base64) } });
export const integers = (...values: number[]) => ({ list: { i: values.map(String) } });

export const node = (name: string, op: string, input: string[], attr: object = {}) => ({ name, op, input, attr });

/** What every convolution has. */
export const sliding = (stride: number, padding: string, more: object = {}) => ({
  strides: integers(1, stride, stride, 1),
  dilations: integers(1, 1, 1, 1),
  padding: text(padding),
  data_format: text('NHWC'),
  ...more,
});

/** A graph model of these nodes, whose input is `x`. */
export function graphFile(
  inputShape: readonly number[],
  constants: Record<string, GraphConstant>,
  nodes: readonly object[],
): TfjsModel {
  const dim = [-1, ...inputShape].map((size) => ({ size: `${size}` }));
  const placeholder = node('x', 'Placeholder', [], { shape: { shape: { dim } } });
  const names = Object.keys(constants);
  const weights = Object.entries(constants).map(([name, { shape, data }]) => ({
    name,
    shape,
    dtype: data instanceof Float32Array ? 'float32' : 'int32',
  }));
  const json: LooseJson = {
    format: 'graph-model',
    modelTopology: { node: [placeholder, ...names.map((name) => node(name, 'Const', [])), ...nodes], versions: {} },
    weightsManifest: [{ paths: [SHARD], weights }],
  };
  const parts = Object.values(constants).map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return { json, shard: Uint8Array.from(Buffer.concat(parts)) };
}
