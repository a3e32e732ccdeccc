import { type ActivationStep, followedBy } from './activation';
import type { WeightedLayer } from './networkWeights';

/** Notes what stands behind the last layer. Before the first one it is a part of how pictures are prepared. */
export function activateLast(layers: WeightedLayer[], step: ActivationStep): void {
  const last = layers.at(-1);
  if (last?.activation) layers[layers.length - 1] = { ...last, activation: followedBy(last.activation, step) };
}
