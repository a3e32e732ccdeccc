import type { InputRange } from '../inputRange';
import { mobilenetV1Rows } from '../model/architecture';
import type { WeightedLayer } from './networkWeights';

/** ImageNet's classes; TF-slim has one more, for the background. */
const CLASSES = [1000, 1001];

/**
 * What bytes are mapped to before they enter a MobileNetV1 that tells ImageNet's classes apart, or has no top: all that
 * are published, by whatever framework, take -1 to 1. Undefined for other networks.
 */
export function imagenetRange(layers: readonly WeightedLayer[]): InputRange | undefined {
  const kernels = layers.flatMap((layer) => (layer.kind === 'batchNorm' ? [] : [layer]));
  const body = mobilenetV1Rows.flatMap(({ kind }) => (kind === 'conv' ? ['conv'] : ['depthwise', 'conv']));
  const isBody = body.every((kind, i) => kernels[i]?.kind === kind);
  const [head, ...more] = kernels.slice(body.length);
  const isImagenet = head === undefined || CLASSES.includes(head.kernel.shape.at(-1)!);
  return isBody && isImagenet && more.length === 0 ? [-1, 1] : undefined;
}
