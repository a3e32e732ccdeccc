import type { Layer } from '../../graph/layerChain';
import { noZeros, type Sliding, type Zeros } from '../../graph/window';
import { addZeros } from './addZeros';

/** How a layer with a kernel pads, and the zeros of layers before it. */
export interface LayerPadding {
  readonly padding: Sliding['padding'];
  readonly zeros: Zeros;
}

/**
 * The padding of each layer that has a kernel, in their order.
 *
 * Stages know only where windows begin. A file that pads as the layers do still tells `'keras'` from `'same'` where both
 * come to the same thing.
 */
export function layerPaddings(layers: readonly Layer[]): LayerPadding[] {
  const paddings: LayerPadding[] = [];
  let zeros = noZeros;
  for (const layer of layers) {
    const { padding } = layer.getConfig();
    if (layer.getClassName() === 'ZeroPadding2D') {
      const [[top, bottom], [left, right]] = padding as [[number, number], [number, number]];
      zeros = addZeros(zeros, { top, bottom, left, right });
    } else if (['Conv2D', 'DepthwiseConv2D', 'Dense'].includes(layer.getClassName())) {
      paddings.push({ padding: padding === 'same' ? 'same' : 'valid', zeros });
      zeros = noZeros;
    }
  }
  return paddings;
}
