/**
 * An optimizer and its constants; the learning rate comes with each step. `weightDecay` is decoupled from the gradient:
 * before the update, weights that decay are multiplied by 1 - learningRate * weightDecay.
 */
export type OptimizerSettings = { readonly weightDecay: number } & (
  | { readonly kind: 'sgd' }
  | { readonly kind: 'momentum'; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | { readonly kind: 'rmsprop'; readonly decay: number; readonly momentum: number; readonly epsilon: number }
);

/** What a weight is for, by which weight decay tells them apart: kernels of convolutions and dense layers, and others. */
export type WeightRole = 'kernel' | 'depthwise' | 'bias' | 'batchNorm';

/** Names of what an optimizer keeps of each trained weight. */
export const OPTIMIZER_SLOTS = {
  sgd: [],
  momentum: ['velocity'],
  adam: ['m', 'v'],
  rmsprop: ['meanSquare', 'velocity'],
} as const satisfies Record<OptimizerSettings['kind'], readonly string[]>;
