import { refuse } from '../io/refuse';
import type { WeightedLayer } from './networkWeights';

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

/** Whether each layer takes the channels that the one before it gives. */
export function isChain(layers: readonly WeightedLayer[]): boolean {
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

/** The channels that a layer takes, and those that it gives. */
export function channelsOf(layer: WeightedLayer): [taken: number, given: number] {
  if (layer.kind === 'batchNorm') {
    const [channels = 0] = layer.movingMean.shape;
    return [channels, channels];
  }
  const [last = 0, beforeLast = 0] = layer.kernel.shape.toReversed();
  return layer.kind === 'depthwise' ? [beforeLast, beforeLast * last] : [beforeLast, last];
}
