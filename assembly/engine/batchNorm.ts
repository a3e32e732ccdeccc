// Batch norm is one multiply-add a channel, `y = scale * z + offset`; this file makes its two numbers and takes its
// gradient apart. Everything is per channel, `[C]` float32 unless said otherwise, for begin <= c < end, and computed in
// float64. Of the C channels the last ones are padding, from `realChannels` on: their scale is 0.

/**
 * Batch statistics, and batch norm by them.
 *
 * `moments [slots][2][C]` float64; gamma = 0 (absent) counts as 1, beta = 0 as 0. The definition:
 *
 *     mean[c] = sum over slots: moments[slot][0][c] / count
 *     variance[c] = max(sum over slots: moments[slot][1][c] / count - mean[c] * mean[c], 0)
 *     rstd[c] = c < realChannels ? 1 / sqrt(variance[c] + epsilon) : 0
 *     scale[c] = gamma[c] * rstd[c]
 *     offset[c] = beta[c] - mean[c] * scale[c]
 *
 * A bias before the batch norm moves z and its mean alike, and so nothing here but what the moving average takes in.
 */
export function f32BatchNormForward(
  moments: usize, slots: i32, C: i32, count: i32, gamma: usize, beta: usize, epsilon: f64,
  mean: usize, variance: usize, rstd: usize, scale: usize, offset: usize, realChannels: i32, begin: i32, end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const at = <usize>c << 2;
    const m = sumSlots(moments, slots, C, c) / <f64>count;
    const v = max(sumSlots(moments, slots, C, C + c) / <f64>count - m * m, 0);
    const r = c < realChannels ? 1 / sqrt(v + epsilon) : 0;
    store<f32>(variance + at, <f32>v);
    storeAffine(m, r, gamma, beta, mean, rstd, scale, offset, at);
  }
}

/**
 * Batch norm of `z + bias` by moving averages, as in inference and in frozen layers.
 *
 *     mean[c] = movingMean[c] - bias[c]
 *     rstd[c] = c < realChannels ? 1 / sqrt(movingVariance[c] + epsilon) : 0
 *     scale[c] = gamma[c] * rstd[c]
 *     offset[c] = beta[c] - mean[c] * scale[c]
 *
 * gamma = 0 (absent) counts as 1, beta and bias as 0.
 */
export function f32BatchNormInference(
  gamma: usize, beta: usize, movingMean: usize, movingVariance: usize, epsilon: f64, bias: usize,
  mean: usize, rstd: usize, scale: usize, offset: usize, realChannels: i32, begin: i32, end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const at = <usize>c << 2;
    const m = <f64>load<f32>(movingMean + at) - loadOr(bias, at, 0);
    const r = c < realChannels ? 1 / sqrt(<f64>load<f32>(movingVariance + at) + epsilon) : 0;
    storeAffine(m, r, gamma, beta, mean, rstd, scale, offset, at);
  }
}

/** A stage without batch norm: `scale[c] = c < realChannels ? 1 : 0`, `offset = bias`, 0 where bias = 0 (absent). */
export function f32BiasOnly(bias: usize, scale: usize, offset: usize, realChannels: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    const at = <usize>c << 2;
    store<f32>(scale + at, c < realChannels ? 1 : 0);
    store<f32>(offset + at, <f32>loadOr(bias, at, 0));
  }
}

/**
 * The gradients of gamma, beta and bias, and that of z as `dz = c1 * dy + c2 * z + c3`.
 *
 * `sums [slots][2][C]` float64; dgamma, dbeta, dbias = 0: not wanted. The definition:
 *
 *     S0[c] = sum over slots: sums[slot][0][c], which is sum(dy)
 *     S1[c] = sum over slots: sums[slot][1][c], which is sum(dy * (z - mean))
 *     dbeta[c] = S0[c]
 *     dgamma[c] = rstd[c] * S1[c]
 *     c1[c] = scale[c]
 *     with batch statistics                                   without
 *     c2[c] = -scale[c] * rstd[c]^2 * S1[c] / count           c2[c] = 0
 *     c3[c] = -scale[c] * S0[c] / count - c2[c] * mean[c]     c3[c] = 0
 *     dbias[c] = 0, for the mean takes any bias away          dbias[c] = scale[c] * S0[c]
 *
 * `rstd` is read for dgamma and with batch statistics, `mean` with batch statistics only.
 */
export function f32BatchNormBackward(
  sums: usize, slots: i32, C: i32, count: i32, rstd: usize, scale: usize, mean: usize, batchStatistics: bool,
  dgamma: usize, dbeta: usize, dbias: usize, c1: usize, c2: usize, c3: usize, begin: i32, end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const at = <usize>c << 2;
    const s = load<f32>(scale + at);
    const sum = sumSlots(sums, slots, C, c);
    const product = sumSlots(sums, slots, C, C + c);
    let slope: f32 = 0;
    let shift: f64 = 0;
    if (batchStatistics) {
      const r = <f64>load<f32>(rstd + at);
      slope = <f32>((-<f64>s * r * r * product) / <f64>count);
      // By the slope as it is stored, so that its rounding cancels where z is near its mean.
      shift = (-<f64>s * sum) / <f64>count - <f64>slope * <f64>load<f32>(mean + at);
    }
    store<f32>(c1 + at, s);
    store<f32>(c2 + at, slope);
    store<f32>(c3 + at, <f32>shift);
    if (dgamma != 0) store<f32>(dgamma + at, <f32>(<f64>load<f32>(rstd + at) * product));
    if (dbeta != 0) store<f32>(dbeta + at, <f32>sum);
    if (dbias != 0) store<f32>(dbias + at, batchStatistics ? 0 : <f32>(<f64>s * sum));
  }
}

/**
 * One step of a moving average, as tfjs and Keras have it; `extra` is added to the value, 0 (absent) counts as 0.
 *
 *     movingOut[c] = moving[c] - (moving[c] - (value[c] + extra[c])) * (1 - momentum)
 */
export function f32MovingAverage(
  moving: usize, movingOut: usize, value: usize, extra: usize, momentum: f64, begin: i32, end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const at = <usize>c << 2;
    const old = <f64>load<f32>(moving + at);
    const now = <f64>load<f32>(value + at) + loadOr(extra, at, 0);
    store<f32>(movingOut + at, <f32>(old - (old - now) * (1 - momentum)));
  }
}

/** Column `column` of `sums [slots][2 * C]`, added up in slot order. */
function sumSlots(sums: usize, slots: i32, C: i32, column: i32): f64 {
  const slotBytes = <usize>C << 4;
  let total: f64 = 0;
  for (let from = sums + (<usize>column << 3); slots > 0; slots--, from += slotBytes) total += load<f64>(from);
  return total;
}

function loadOr(pointer: usize, at: usize, otherwise: f64): f64 {
  return pointer != 0 ? <f64>load<f32>(pointer + at) : otherwise;
}

function storeAffine(
  m: f64, r: f64, gamma: usize, beta: usize, mean: usize, rstd: usize, scale: usize, offset: usize, at: usize,
): void {
  const s = <f32>(loadOr(gamma, at, 1) * r);
  store<f32>(mean + at, <f32>m);
  store<f32>(rstd + at, <f32>r);
  store<f32>(scale + at, s);
  // By the scale as it is stored, so that its rounding cancels where z is near its mean.
  store<f32>(offset + at, <f32>(loadOr(beta, at, 0) - m * <f64>s));
}
