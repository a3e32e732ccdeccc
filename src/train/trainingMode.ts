import { keep, ones, type Tensor, zeros } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';

type Layer = layers.Layer & { layers?: Layer[]; seed?: number };

/** What of a batch norm tfjs reads; its scale or its offset may be lacking. */
interface BatchNorm {
  scale: boolean;
  center: boolean;
  gamma?: { read(): Tensor };
  beta?: { read(): Tensor };
  movingMean: { shape: number[] };
}

/** A model whose layers behave as they should in training, until {@link TrainingMode.restore} is called. */
export interface TrainingMode {
  /** Gives each dropout layer a seed of its own for the next step. */
  seedDropout(nextSeed: () => number): void;
  /** Puts every layer back as it was. */
  restore(): void;
}

/**
 * Mends three habits of tfjs-layers for as long as a gradient takes: whoever looks on between two steps sees the layers as they are.
 *
 * A frozen batch norm (`trainable = false`) runs in inference mode and keeps its moving averages, as in Keras; tfjs
 * would normalise with the batch and let the averages drift. Dropout, which tfjs seeds once and for all or not at all,
 * takes a new seed at each step. A batch norm without scale or offset, for which tfjs fails, gets ones or zeros.
 */
export function enterTrainingMode(model: LayersModel): TrainingMode {
  const undo: (() => void)[] = [];
  const dropouts: Layer[] = [];
  const visit = (layer: Layer, frozenAbove: boolean) => {
    const frozen = frozenAbove || !layer.trainable;
    for (const inner of layer.layers ?? []) visit(inner, frozen);
    if (layer.getClassName() === 'BatchNormalization') {
      if (frozen) undo.push(runAsInference(layer));
      undo.push(completeBatchNorm(layer as unknown as BatchNorm));
    }
    if (layer.getClassName() === 'Dropout') {
      const { seed } = layer;
      dropouts.push(layer);
      undo.push(() => {
        layer.seed = seed;
      });
    }
  };
  visit(model as Layer, false);
  return {
    seedDropout(nextSeed) {
      for (const layer of dropouts) layer.seed = nextSeed();
    },
    restore() {
      // Backwards, for a layer that the model reaches twice was changed twice.
      for (const put of undo.splice(0).reverse()) put();
    },
  };
}

/** Hides the layer's `call` behind one that is never in training. */
function runAsInference(layer: Layer): () => void {
  const own = Object.getOwnPropertyDescriptor(layer, 'call');
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  return () => {
    if (own) Object.defineProperty(layer, 'call', own);
    else Reflect.deleteProperty(layer, 'call');
  };
}

/** Gives it the scale and the offset that it has none of. */
function completeBatchNorm(layer: BatchNorm): () => void {
  const { scale, center, gamma, beta, movingMean } = layer;
  if (gamma && beta) return () => {};
  const [one, zero] = [keep(ones(movingMean.shape)), keep(zeros(movingMean.shape))];
  Object.assign(layer, { scale: true, center: true });
  Object.assign(layer, { gamma: gamma ?? { read: () => one }, beta: beta ?? { read: () => zero } });
  return () => {
    Object.assign(layer, { scale, center, gamma, beta });
    one.dispose();
    zero.dispose();
  };
}
