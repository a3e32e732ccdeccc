import type { InferenceConv, InferenceDepthwise } from '../../graph/inferenceGraph';
import { type QuantizedChannels, quantizeChannels } from '../../graph/quantizeChannels';

/** Of a bias: half of what 32 bits hold, the other half is for the sum of products. */
const MAX_BIAS = 2 ** 30;

/**
 * A kernel in int8, with a scale for each output channel.
 *
 * @param inputScale of the uint8 that are multiplied with the weights; undefined where they are multiplied with floats
 */
export function roundWeights(stage: InferenceConv | InferenceDepthwise, inputScale?: number): QuantizedChannels {
  const { channels } = stage.output;
  if (inputScale === undefined) return quantizeChannels(stage.kernel, channels);
  // A channel of tiny weights, or none, must not lose its bias.
  const leastScales = Float64Array.from(stage.bias, (value) => Math.abs(value) / (inputScale * MAX_BIAS));
  if (stage.kind === 'conv') limitPairs(stage, leastScales);
  return quantizeChannels(stage.kernel, channels, leastScales);
}

/**
 * Raises scales so that two products add up in 16 bits: weights of one sign to at most 128 = floor(32767 / 255), one of
 * which rounding may take.
 *
 * Processors without VNNI instructions add the products of an input's channels 0 and 1, 2 and 3, ... in 16 bits and cut off
 * what is more (onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "reduce_range"). Of the ImageNet
 * weights of MobileNet 0.25 that would change up to 4 % of a layer's sums, some by more than the whole range; the limit costs as
 * much accuracy as the 7 bits of the library's own kernels.
 */
function limitPairs({ kernel, output: { channels } }: InferenceConv, leastScales: Float64Array): void {
  for (let row = 0; row + channels < kernel.length; row += 2 * channels) {
    for (let f = 0; f < channels; f++) {
      const first = kernel[row + f]!;
      const second = kernel[row + channels + f]!;
      if (first * second > 0) leastScales[f] = Math.max(leastScales[f]!, Math.abs(first + second) / 127);
    }
  }
}
