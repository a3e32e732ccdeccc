import { refuse } from '../../io/refuse';
import type { WeightedLayer } from '../networkWeights';

/** Separable blocks of MobileNetV1. */
const BLOCKS = 13;

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

/** Throws `invalid-data` unless each layer takes the channels that the one before it gives. */
export function checkChain(where: string, layers: readonly WeightedLayer[]): void {
  if (!isChain(layers)) {
    refuse(
      where,
      'layers whose channels fit one behind the other',
      layers
        .map(({ name }) => name)
        .slice(0, 10)
        .join(', '),
      'Save the whole model in place of its weights; it must be a chain of layers.',
    );
  }
}

/** Whether the layers are those of MobileNetV1, of any width, with a head or without. */
export function isMobilenetV1(layers: readonly WeightedLayer[]): boolean {
  const kinds = ['conv', 'batchNorm', ...Array(BLOCKS).fill(['depthwise', 'batchNorm', 'conv', 'batchNorm']).flat()];
  return layers.length <= kinds.length + 1 && kinds.every((kind, i) => layers[i]?.kind === kind);
}

function isChain(layers: readonly WeightedLayer[]): boolean {
  let channels: number | undefined;
  for (const layer of layers) {
    const [taken, given] = channelsOf(layer);
    // A dense layer may take all pixels of a feature map.
    const fits = channels === undefined || (layer.kind === 'dense' ? taken % channels === 0 : taken === channels);
    if (!fits) return false;
    channels = given;
  }
  return true;
}

function channelsOf(layer: WeightedLayer): [taken: number, given: number] {
  if (layer.kind === 'batchNorm') {
    const [channels = 0] = layer.movingMean.shape;
    return [channels, channels];
  }
  const [last = 0, beforeLast = 0] = layer.kernel.shape.toReversed();
  return layer.kind === 'depthwise' ? [beforeLast, beforeLast * last] : [beforeLast, last];
}
