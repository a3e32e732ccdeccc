// Batch norm over the channels of x [R,C], in float64; R = pictures times pixels, C = channels.

/** A batch norm's parameters, `[C]` each. */
export interface BatchNormParameters {
  gamma: Float64Array;
  beta: Float64Array;
  movingMean: Float64Array;
  movingVariance: Float64Array;
  epsilon: number;
  /** Whether the moving statistics stand in for the batch's: in inference, and in a frozen layer. */
  usesMoving: boolean;
}

/** y, and what its gradient and the moving averages need. */
export interface Normalized {
  y: Float64Array;
  /** (x - mean) / sqrt(variance + epsilon), `[R,C]` */
  xHat: Float64Array;
  /** 1 / sqrt(variance + epsilon), `[C]` */
  inverseDeviation: Float64Array;
  mean: Float64Array;
  variance: Float64Array;
}

/** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta; the batch's variance is the biased one, sum / R. */
export function normalize(x: Float64Array, parameters: BatchNormParameters): Normalized {
  const { gamma, beta, epsilon, usesMoving } = parameters;
  const channels = gamma.length;
  const mean = usesMoving ? parameters.movingMean : channelMeans(x, channels);
  const variance = usesMoving
    ? parameters.movingVariance
    : channelMeans(
        x.map((value, at) => (value - mean[at % channels]!) ** 2),
        channels,
      );
  const inverseDeviation = variance.map((value) => 1 / Math.sqrt(value + epsilon));
  const xHat = x.map((value, at) => (value - mean[at % channels]!) * inverseDeviation[at % channels]!);
  const y = xHat.map((value, at) => value * gamma[at % channels]! + beta[at % channels]!);
  return { y, xHat, inverseDeviation, mean, variance };
}

/**
 * The gradients of x, gamma and beta from dy `[R,C]`:
 * dx = gamma * inverseDeviation * (dy - mean(dy) - xHat * mean(dy * xHat)), without the means where the statistics are
 * constants.
 */
export function normalizeGradients(
  dy: Float64Array,
  { xHat, inverseDeviation }: Normalized,
  { gamma, usesMoving }: BatchNormParameters,
): { dx: Float64Array; dGamma: Float64Array; dBeta: Float64Array } {
  const channels = gamma.length;
  const dBeta = channelSums(dy, channels);
  const dGamma = channelSums(
    dy.map((value, at) => value * xHat[at]!),
    channels,
  );
  const share = usesMoving ? 0 : channels / dy.length;
  const dx = dy.map((value, at) => {
    const c = at % channels;
    return gamma[c]! * inverseDeviation[c]! * (value - share * (dBeta[c]! + xHat[at]! * dGamma[c]!));
  });
  return { dx, dGamma, dBeta };
}

/** moving - (moving - batch) * (1 - momentum), as tfjs and Keras have it. */
export function movingAverage(moving: Float64Array, batch: Float64Array, momentum: number): Float64Array {
  return moving.map((value, c) => value - (value - batch[c]!) * (1 - momentum));
}

/** The sum of each column of values `[R,C]`. */
export function channelSums(values: Float64Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  values.forEach((value, at) => {
    sums[at % channels]! += value;
  });
  return sums;
}

function channelMeans(values: Float64Array, channels: number): Float64Array {
  return channelSums(values, channels).map((sum) => (sum * channels) / values.length);
}
