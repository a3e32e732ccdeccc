import type { Float32Values } from '../../io/safetensors';
import type { ModelUnit } from '../fitUnit';
import type { ModelKernel } from '../modelLayers';
import type { ModelTensors } from './modelTensors';
import { timmNames } from './timmNames';
import { toTorch } from './torchLayout';

type Named = [name: string, tensor: Float32Values];

/**
 * The units of a MobileNetV1 with timm's names and layouts. In timm every batch norm has gamma and beta, and the
 * classifier a bias; those that the model lacks are 1 or 0.
 */
export function timmTensors(units: readonly ModelUnit[], tensors: ModelTensors): Map<string, Float32Values> {
  const names = timmNames();
  return new Map(
    units.flatMap(({ kernel, norm }, i): Named[] => {
      const [kernelName, normName] = names[i]!;
      const { data, shape } = torchKernel(kernel!, tensors);
      if (!norm) {
        const bias = kernel!.bias ? tensors.of(kernel!.bias) : constant(shape[0]!, 0);
        return [
          [`${kernelName}.weight`, { data, shape: shape.slice(0, 2) }],
          [`${kernelName}.bias`, bias],
        ];
      }
      const channels = shape[0]!;
      return [
        [`${kernelName}.weight`, { data, shape }],
        [`${normName}.weight`, tensors.gamma(norm) ?? constant(channels, 1)],
        [`${normName}.bias`, norm.beta ? tensors.of(norm.beta) : constant(channels, 0)],
        [`${normName}.running_mean`, tensors.of(norm.movingMean)],
        [`${normName}.running_var`, tensors.of(norm.movingVariance)],
      ];
    }),
  );
}

function constant(size: number, value: number): Float32Values {
  return { shape: [size], data: new Float32Array(size).fill(value) };
}

/** `[F,C,KH,KW]`, of depthwise kernels `[C*M,1,KH,KW]`. */
function torchKernel({ kind, kernel }: ModelKernel, tensors: ModelTensors): Float32Values {
  const { shape, data } = tensors.of(kernel);
  const [height, width, channels, outputs] = kind === 'dense' ? [1, 1, ...shape] : shape;
  const [filters, inputs] = kind === 'depthwise' ? [channels! * outputs!, 1] : [outputs!, channels!];
  return { shape: [filters, inputs, height!, width!], data: toTorch(data, [filters, inputs, height! * width!]) };
}
