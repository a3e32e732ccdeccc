import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import type { WeightSpec } from './checkArtifacts';
import { encodeFloat16, MAX_FLOAT16 } from './float16';
import { channelCount, encodeInt8 } from './int8Weight';
import { joinBytes } from './joinBytes';
import { splitWeights } from './splitWeights';

/** How a model file stores its weights; without it as float32. */
export type WeightQuantization = 'float16' | 'int8';

type EncodedWeight = [spec: WeightSpec, bytes: ArrayBuffer | Uint8Array];

/** The artifacts of a model with its weights stored as `quantize` says; those that it cannot hold stay as they are. */
export function quantizeWeights(
  model: LayersModel,
  artifacts: io.ModelArtifacts,
  quantize: WeightQuantization,
): io.ModelArtifacts {
  const { weightSpecs = [], weightData = [] } = artifacts;
  const axes = kernelChannelAxes(model);
  const encoded = splitWeights('saveModel', weightSpecs, joinBytes([weightData].flat())).map(
    ([spec, bytes]): EncodedWeight => {
      if (spec.dtype !== 'float32') return [spec, bytes];
      const smaller = quantize === 'float16' ? asFloat16(spec, bytes) : asInt8(spec, bytes, axes.get(spec.name));
      return smaller ?? [spec, bytes];
    },
  );
  return {
    ...artifacts,
    // tfjs's type knows its own quantizations only; handlers store the manifest without reading it.
    weightSpecs: encoded.map(([spec]) => spec as io.WeightsManifestEntry),
    weightData: joinBytes(encoded.map(([, bytes]) => bytes)),
  };
}

function asFloat16(spec: WeightSpec, bytes: ArrayBuffer): EncodedWeight | undefined {
  const values = new Float32Array(bytes);
  if (values.some((value) => Math.abs(value) > MAX_FLOAT16 && Number.isFinite(value))) return undefined;
  return [{ ...spec, quantization: { dtype: 'float16' } }, new Uint8Array(encodeFloat16(values).buffer)];
}

function asInt8(spec: WeightSpec, bytes: ArrayBuffer, channelAxes: number | undefined): EncodedWeight | undefined {
  const values = new Float32Array(bytes);
  // Above 2^127 the rounded scale could give back infinity.
  if (channelAxes === undefined || !values.every((value) => Math.abs(value) < 2 ** 127)) return undefined;
  const encoded = encodeInt8(values, channelCount(spec.shape, channelAxes));
  return [{ ...spec, quantization: { dtype: 'int8', channelAxes } }, encoded];
}

/** Layers whose kernels end in the output channels; those of transposed convolutions do not. */
const KERNEL_LAYERS = new Set(['Dense', 'Conv1D', 'Conv2D', 'Conv3D', 'DepthwiseConv2D', 'SeparableConv2D']);

/** How many of its last axes make up the channels of each kernel, by its name; of nested models too. */
function kernelChannelAxes(model: LayersModel): Map<string, number> {
  const axes = new Map<string, number>();
  const visit = (layer: layers.Layer & { layers?: layers.Layer[] }) => {
    for (const inner of layer.layers ?? []) visit(inner);
    if (!KERNEL_LAYERS.has(layer.getClassName())) return;
    for (const { originalName, shape } of layer.weights) {
      if (shape.length >= 2) axes.set(originalName, originalName.endsWith('depthwise_kernel') ? 2 : 1);
    }
  };
  visit(model);
  return axes;
}
