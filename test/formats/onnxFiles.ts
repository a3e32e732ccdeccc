import * as pbf from 'pbf';
import { encodeModel } from '../../src/formats/onnx/encodeModel';
import {
  ELEMENT,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../src/formats/onnx/schema';
import { floatTensor, type TensorContent } from '../../src/formats/onnx/tensorContent';

export function node(
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNode {
  return {
    name: `the ${op}`,
    op,
    domain: '',
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

export const weight = (name: string, content: TensorContent): OnnxTensor => ({ name, ...content });
export const kernel = weight('w', floatTensor('float32', new Float32Array(2 * 3 * 3 * 3), [2, 3, 3, 3]));

/** A file of these nodes, from x `[N,3,8,8]` to y. */
export function fileOf(
  nodes: OnnxNode[],
  initializers: OnnxTensor[] = [kernel],
  graph: Partial<OnnxGraph> = {},
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const value = (name: string) => ({ name, type: ELEMENT.float32, dims: ['N', 3, 8, 8] });
  return encodeModel(pbf, {
    irVersion: 8,
    opset: 17,
    producerName: 'test',
    producerVersion: '1',
    graph: { name: 'graph', nodes, initializers, inputs: [value('x')], outputs: [value('y')], ...graph },
    metadata: new Map(Object.entries(metadata)),
  });
}
