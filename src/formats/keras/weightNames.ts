/** Those classes of layers that weights are read of, by Keras's snake case of them. */
export const classesWithWeights: ReadonlyMap<string, { className: string; weights: readonly string[] }> = new Map([
  ['conv2d', { className: 'Conv2D', weights: ['kernel', 'bias'] }],
  ['depthwise_conv2d', { className: 'DepthwiseConv2D', weights: ['depthwise_kernel', 'bias'] }],
  ['dense', { className: 'Dense', weights: ['kernel', 'bias'] }],
  [
    'batch_normalization',
    { className: 'BatchNormalization', weights: ['gamma', 'beta', 'moving_mean', 'moving_variance'] },
  ],
]);

/**
 * What Keras 2 and tfjs call the weights that layers of a class may have, in the order in which Keras 3 numbers them; none
 * for a class without any.
 */
export function weightsOf(className: string): readonly string[] {
  return classesWithWeights.get(snakeCase(className))?.weights ?? [];
}

/** Keras's own rule: `DepthwiseConv2D` is `depthwise_conv2d`, and `Conv2D` is `conv2d`. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
