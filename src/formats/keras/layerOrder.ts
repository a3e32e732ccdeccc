import { refuse } from '../../io/refuse';
import { mobilenetV1Rows } from '../../model/architecture';
import { isChain } from '../checkChain';
import type { WeightedLayer } from '../networkWeights';

/** The layers of MobileNetV1 that have weights, but for its head. */
const KINDS: readonly WeightedLayer['kind'][] = mobilenetV1Rows.flatMap(({ kind }) =>
  kind === 'conv' ? ['conv', 'batchNorm'] : ['depthwise', 'batchNorm', 'conv', 'batchNorm'],
);

/**
 * The layers of a network without a configuration in the order of MobileNetV1, from those of each kind in theirs: a
 * convolution and its batch norm, blocks of depthwise, batch norm, convolution, batch norm, and a head.
 *
 * Channels tell whether that was right: every layer must take what the one before it gives.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function orderLayers(where: string, layers: readonly WeightedLayer[]): WeightedLayer[] {
  const ofKind = (kind: WeightedLayer['kind']) => layers.filter((layer) => layer.kind === kind);
  const [convs, depthwise, batchNorms] = [ofKind('conv'), ofKind('depthwise'), ofKind('batchNorm')];
  const blocks = depthwise.flatMap((layer, i) => [layer, batchNorms[2 * i + 1], convs[i + 1], batchNorms[2 * i + 2]]);
  const head = [...convs.slice(depthwise.length + 1), ...ofKind('dense')];
  const ordered = [convs[0], batchNorms[0], ...blocks, ...head].filter((layer) => layer !== undefined);
  if (ordered.length !== layers.length || !isChain(ordered)) {
    refuse(
      where,
      'a configuration, or the layers of a MobileNetV1, whose order is known',
      `${convs.length} conv, ${depthwise.length} depthwise and ${batchNorms.length} batch norm layers that do not fit`,
      'Save the whole model, as .keras, in place of its weights.',
    );
  }
  return ordered;
}

/** Whether the layers are those of MobileNetV1, of any width, with a head or without. */
export function isMobilenetV1(layers: readonly WeightedLayer[]): boolean {
  return layers.length <= KINDS.length + 1 && KINDS.every((kind, i) => layers[i]?.kind === kind);
}
