import { add, keep, mul, sum, type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';

/** Tensors of what the variables hold now; they share its memory until the variables get other values. */
export function cloneAll(variables: readonly Variable[]): Tensor[] {
  return variables.map((variable) => keep(variable.clone()));
}

/** Gives each variable the value that stands at its place. */
export function assignAll(variables: readonly Variable[], values: readonly Tensor[]): void {
  variables.forEach((variable, i) => {
    variable.assign(values[i]!);
  });
}

/** The numbers of a tensor, as the caller's own copy. */
export async function readValues(values: Tensor): Promise<Float32Array> {
  // On the cpu backend data() gives the tensor's own memory.
  return Float32Array.from(await values.data());
}

/** Gives a variable these numbers, which are copied. */
export function writeValues(variable: Variable, values: Float32Array): void {
  tidy(() => variable.assign(tensor(values.slice(), variable.shape, variable.dtype)));
}

/** Whether no value is NaN or infinite. */
export async function areFinite(variables: readonly Variable[]): Promise<boolean> {
  // 0 times a number is 0, times NaN or infinity NaN: one value to read back for all the weights.
  // Added in pairs: addN of all of them is more than a WebGPU shader takes.
  const probe = tidy(() => variables.map((variable) => sum(mul(variable, 0))).reduce((a, b) => add(a, b)));
  const [value] = await probe.data().finally(() => probe.dispose());
  return value === 0;
}

/** The numbers of weights, in their order, as copies. */
export function readWeights(weights: readonly LayerVariable[]): Promise<Float32Array[]> {
  return Promise.all(weights.map((weight) => readValues(weight.read())));
}

/** Gives a weight of a model these numbers, which are copied. */
export function writeWeight(weight: LayerVariable, values: Float32Array): void {
  tidy(() => {
    weight.write(tensor(values.slice(), weight.shape as number[], 'float32'));
  });
}
