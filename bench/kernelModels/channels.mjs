// Batch norm, pooling, dropout and the loss.
import { activated, float, formed, mask, sumSample } from './plainLoop.mjs';

/** @typedef {import('./plainLoop.mjs').DescribeCall} DescribeCall */
/** @typedef {import('./plainLoop.mjs').Memory} Memory */

/**
 * Column `column` of `sums [slots][2 * C]`.
 *
 * @param {Memory} memory
 * @param {number} sums
 * @param {number} slots
 * @param {number} C
 * @param {number} column
 */
function slotSum({ f64 }, sums, slots, C, column) {
  let total = 0;
  for (let slot = 0; slot < slots; slot++) total += Number(f64[sums / 8 + slot * 2 * C + column]);
  return total;
}

/** @type {DescribeCall} */
export function batchNormForward(args) {
  const [moments, slots, C, count, gamma, , epsilon, , , , scale, , realChannels] = /** @type {any} */ (args);
  return {
    shape: `${slots} x 2 x ${C}`,
    flops: 0,
    bytes: 16 * slots * C,
    sample(before, after, pick) {
      const c = pick(realChannels);
      const mean = slotSum(before, moments, slots, C, c) / count;
      const variance = Math.max(slotSum(before, moments, slots, C, C + c) / count - mean * mean, 0);
      const expected = (gamma === 0 ? 1 : float(before, gamma, c)) / Math.sqrt(variance + epsilon);
      return [sumSample(float(after, scale, c), [expected])];
    },
  };
}

/** @type {DescribeCall} */
export function batchNormInference(args) {
  const [gamma, , , movingVariance, epsilon, , , , scale, , realChannels] = /** @type {any} */ (args);
  return {
    shape: `${realChannels}`,
    flops: 0,
    bytes: 32 * realChannels,
    sample(before, after, pick) {
      const c = pick(realChannels);
      const expected =
        (gamma === 0 ? 1 : float(before, gamma, c)) / Math.sqrt(float(before, movingVariance, c) + epsilon);
      return [sumSample(float(after, scale, c), [expected])];
    },
  };
}

/** @type {DescribeCall} */
export function batchNormBackward(args) {
  const [sums, slots, C, count, rstd, scale, , batchStatistics, , , , , c2] = /** @type {any} */ (args);
  return {
    shape: `${slots} x 2 x ${C}`,
    flops: 0,
    bytes: 16 * slots * C,
    sample(before, after, pick) {
      const c = pick(C);
      const slope = (-float(before, scale, c) * float(before, rstd, c) ** 2) / count;
      const expected = batchStatistics ? slope * slotSum(before, sums, slots, C, C + c) : 0;
      return [sumSample(float(after, c2, c), [expected])];
    },
  };
}

/** @type {DescribeCall} */
export function biasOnly(args) {
  const [bias, , offset, realChannels] = /** @type {any} */ (args);
  return {
    shape: `${realChannels}`,
    flops: 0,
    bytes: 12 * realChannels,
    sample(before, after, pick) {
      const c = pick(realChannels);
      return [sumSample(float(after, offset, c), [bias === 0 ? 0 : float(before, bias, c)])];
    },
  };
}

/** @type {DescribeCall} */
export function movingAverage(args) {
  const [moving, movingOut, value, extra, momentum, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 12 * (end - begin),
    sample(before, after, pick) {
      const c = begin + pick(end - begin);
      const now = float(before, value, c) + (extra === 0 ? 0 : float(before, extra, c));
      return [sumSample(float(after, movingOut, c), [momentum * float(before, moving, c), (1 - momentum) * now])];
    },
  };
}

/** @type {DescribeCall} */
export function globalAverageForward(args) {
  const [x, scale, offset, low, high, out, pixels, C, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin} x ${pixels} x ${C}`,
    flops: 0,
    bytes: 4 * (end - begin) * (pixels + 1) * C,
    sample(before, after, pick) {
      const [n, c] = [begin + pick(end - begin), pick(C)];
      const terms = Array.from({ length: pixels }, (_, p) =>
        activated(before, { x, scale, offset, low, high }, (n * pixels + p) * C + c, c),
      );
      return [sumSample(float(after, out, n * C + c), terms, 1 / pixels)];
    },
  };
}

/** @type {DescribeCall} */
export function globalAverageBackward(args) {
  const [x, scale, offset, , low, high, dy, z, c1, c2, c3, dx, , , , , N, pixels, C] = /** @type {any} */ (args);
  return {
    shape: `${N} x ${pixels} x ${C}`,
    flops: 0,
    bytes: 8 * N * (pixels + 1) * C,
    sample(before, after, pick) {
      const [row, c] = [pick(N * pixels), pick(C)];
      const passes = mask(before, { x, scale, offset, low, high }, row * C + c, c);
      if (passes === undefined) return [];
      const dz = formed(before, { dy, z, c1, c2, c3 }, Math.floor(row / pixels) * C + c, c);
      return [sumSample(float(after, dx, row * C + c), [dz], passes / pixels)];
    },
  };
}

/** @type {DescribeCall} */
export function maskGradient(args) {
  const [dx, x, scale, offset, , low, high, , , , , P, C] = /** @type {any} */ (args);
  return {
    shape: `${P} x ${C}`,
    flops: 0,
    bytes: 12 * P * C,
    sample(before, after, pick) {
      const [p, c] = [pick(P), pick(C)];
      const passes = mask(before, { x, scale, offset, low, high }, p * C + c, c);
      if (passes === undefined) return [];
      return [sumSample(float(after, dx, p * C + c), [float(before, dx, p * C + c)], passes)];
    },
  };
}

/** @type {DescribeCall} */
export function dropoutMask(args) {
  const [factors, , , rate, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 4 * (end - begin),
    // What is drawn is up to the hash; the share that is kept is not.
    sample(_before, after) {
      const values = after.f32.subarray(factors / 4 + begin, factors / 4 + end);
      const kept = values.filter((value) => value !== 0).length / values.length;
      const isFair = Math.abs(kept - (1 - rate)) < 5 * Math.sqrt((rate * (1 - rate)) / values.length);
      return [sumSample(isFair ? 1 - rate : kept, [1 - rate])];
    },
  };
}

/** @type {DescribeCall} */
export function dropoutForward(args) {
  const [x, scale, offset, low, high, factors, out, C, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin} x ${C}`,
    flops: 0,
    bytes: 12 * (end - begin) * C,
    sample(before, after, pick) {
      const c = pick(C);
      const index = (begin + pick(end - begin)) * C + c;
      const a = activated(before, { x, scale, offset, low, high }, index, c);
      return [sumSample(float(after, out, index), [a], factors === 0 ? 1 : float(before, factors, index))];
    },
  };
}

/** @type {DescribeCall} */
export function dropoutBackward(args) {
  const [x, scale, offset, , low, high, factors, dy, z, c1, c2, c3, dx, , , , , rows, C] = /** @type {any} */ (args);
  return {
    shape: `${rows} x ${C}`,
    flops: 0,
    bytes: 20 * rows * C,
    sample(before, after, pick) {
      const c = pick(C);
      const index = pick(rows) * C + c;
      const passes = mask(before, { x, scale, offset, low, high }, index, c);
      if (passes === undefined) return [];
      const factor = factors === 0 ? 1 : float(before, factors, index);
      return [sumSample(float(after, dx, index), [formed(before, { dy, z, c1, c2, c3 }, index, c)], passes * factor)];
    },
  };
}

/** @type {DescribeCall} */
export function softmaxCrossEntropy(args) {
  const [logits, scale, offset, , targets, , , losses, , N, K, K8] = /** @type {any} */ (args);
  return {
    shape: `${N} x ${K}`,
    flops: 0,
    bytes: 8 * N * K8,
    sample(before, after, pick) {
      const n = pick(N);
      const z = Array.from(
        { length: K },
        (_, k) => float(before, scale, k) * float(before, logits, n * K8 + k) + float(before, offset, k),
      );
      const logSum = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
      const terms = z.map((value, k) => (logSum - value) * float(before, targets, n * K + k));
      return [sumSample(Number(after.f64[losses / 8 + n]), terms)];
    },
  };
}
