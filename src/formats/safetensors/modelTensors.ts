import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { Float32Values } from '../../io/safetensors';
import { scaleGamma } from '../fitUnit';
import type { ModelBatchNorm, ModelLayer } from '../modelLayers';

/** The weights of a model as tensors of a file. */
export class ModelTensors {
  private constructor(
    private readonly values: ReadonlyMap<LayerVariable, Float32Array>,
    /** Of the file's batch norms; each its own where it is undefined. */
    private readonly epsilon: number | undefined,
  ) {}

  static async read(layers: readonly ModelLayer[], epsilon: number | undefined): Promise<ModelTensors> {
    const variables = layers.flatMap(variablesOf);
    const values = await Promise.all(variables.map((variable) => variable.read().data()));
    return new ModelTensors(
      new Map(variables.map((variable, i) => [variable, Float32Array.from(values[i]!)])),
      epsilon,
    );
  }

  of(variable: LayerVariable): Float32Values {
    return { shape: variable.shape as number[], data: this.values.get(variable)! };
  }

  /** Undefined where the batch norm has none, and needs none to make up for another epsilon. */
  gamma({ gamma, movingVariance, epsilon: from }: ModelBatchNorm): Float32Values | undefined {
    const to = this.epsilon ?? from;
    if (!gamma && from === to) return undefined;
    const { shape, data: variance } = this.of(movingVariance);
    const own = gamma ? this.of(gamma).data : new Float32Array(variance.length).fill(1);
    return { shape, data: scaleGamma(own, variance, from, to) };
  }
}

function variablesOf(layer: ModelLayer): LayerVariable[] {
  const variables =
    layer.kind === 'batchNorm'
      ? [layer.gamma, layer.beta, layer.movingMean, layer.movingVariance]
      : [layer.kernel, layer.bias];
  return variables.filter((variable) => variable !== undefined);
}
