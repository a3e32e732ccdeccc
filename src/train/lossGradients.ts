import {
  add,
  dispose,
  engine,
  keep,
  mul,
  type NamedTensorMap,
  type Scalar,
  type Tensor2D,
  type Tensor4D,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OutputKind } from '../graph/outputKind';
import { crossEntropy } from './classificationLoss';

/** What {@link lossGradients} returns; the caller's to dispose. */
export type LossGradients = {
  /** With the penalties of regularizers. */
  loss: Scalar;
  /** `[n,K]`, in training mode. */
  output: Tensor2D;
  /** By the variable's name. */
  gradients: NamedTensorMap;
};

/** A batch's loss and its gradients by these variables; moves the averages of batch norm. */
export function lossGradients(
  model: LayersModel,
  images: Tensor4D,
  targets: Tensor2D,
  outputKind: OutputKind,
  variables: Variable[],
): LossGradients {
  let output: Tensor2D | undefined;
  try {
    const { value: loss, grads: gradients } = variableGrads(() => {
      output = keep(model.apply(images, { training: true }) as Tensor2D);
      const loss = crossEntropy(targets, output, outputKind);
      return model.calculateLosses().reduce((total, penalty) => add(total, penalty), loss);
    }, variables);
    return { loss, output: output!, gradients };
  } catch (error) {
    output?.dispose();
    disposeTape();
    throw error;
  }
}

/** The sum of what waits, which is disposed of, and `share` times these gradients, which are not. */
export function accumulateGradients(
  waiting: NamedTensorMap | undefined,
  gradients: NamedTensorMap,
  share: number,
): NamedTensorMap {
  const sums = tidy(() => {
    const entries = Object.entries(gradients).map(([name, gradient]) => {
      const part = share === 1 ? gradient.clone() : mul(gradient, share);
      return [name, waiting ? add(waiting[name]!, part) : part] as const;
    });
    return Object.fromEntries(entries);
  });
  dispose(waiting ?? []);
  return sums;
}

/** Frees what tfjs saved for a backward pass that an error kept from being run to its end. */
function disposeTape(): void {
  const { state } = engine();
  for (const node of state.activeTape ?? []) dispose(node.saved ?? []);
  state.activeTape = [];
}
