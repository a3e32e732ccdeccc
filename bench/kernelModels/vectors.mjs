// Optimizers, and other passes over plain vectors.
import { float, sumSample } from './plainLoop.mjs';

/** @typedef {import('./plainLoop.mjs').DescribeCall} DescribeCall */

/**
 * An optimizer's step: `change` is what a weight changes by.
 *
 * @param {object} step
 * @param {number} step.w
 * @param {number} step.wOut
 * @param {number} step.begin
 * @param {number} step.end
 * @param {number} step.states values that the optimizer keeps of each weight
 * @param {(at: (pointer: number) => number) => number} step.change given how to read the weight's own value anywhere
 * @returns {import('./plainLoop.mjs').KernelModel}
 */
function optimizerStep({ w, wOut, begin, end, states, change }) {
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 4 * (3 + 2 * states) * (end - begin),
    sample(before, after, pick) {
      const i = begin + pick(end - begin);
      const at = (/** @type {number} */ pointer) => (pointer === 0 ? 0 : float(before, pointer, i));
      return [sumSample(float(after, wOut, i), [at(w), change(at)])];
    },
  };
}

/** @type {DescribeCall} */
export function sgd(args) {
  const [w, wOut, g, rate, scale, decay, begin, end] = /** @type {any} */ (args);
  return optimizerStep({ w, wOut, begin, end, states: 0, change: (at) => -rate * (decay * at(w) + scale * at(g)) });
}

/** @type {DescribeCall} */
export function momentum(args) {
  const [w, wOut, g, velocity, rate, keep, nesterov, scale, decay, begin, end] = /** @type {any} */ (args);
  /** @param {(pointer: number) => number} at */
  const change = (at) => {
    const gradient = scale * at(g);
    const speed = keep * at(velocity) + gradient;
    return -rate * (decay * at(w) + (nesterov ? gradient + keep * speed : speed));
  };
  return optimizerStep({ w, wOut, begin, end, states: 1, change });
}

/** @type {DescribeCall} */
export function adam(args) {
  const [w, wOut, g, m, v, rate, beta1, beta2, epsilon, correction1, correction2, scale, decay, begin, end] =
    /** @type {any} */ (args);
  /** @param {(pointer: number) => number} at */
  const change = (at) => {
    const gradient = scale * at(g);
    const first = (beta1 * at(m) + (1 - beta1) * gradient) / correction1;
    const second = (beta2 * at(v) + (1 - beta2) * gradient ** 2) / correction2;
    return -rate * (decay * at(w) + first / (Math.sqrt(second) + epsilon));
  };
  return optimizerStep({ w, wOut, begin, end, states: 2, change });
}

/** @type {DescribeCall} */
export function rmsprop(args) {
  const [w, wOut, g, meanSquare, velocity, rate, keep, inertia, epsilon, scale, decay, begin, end] =
    /** @type {any} */ (args);
  /** @param {(pointer: number) => number} at */
  const change = (at) => {
    const gradient = scale * at(g);
    const square = keep * at(meanSquare) + (1 - keep) * gradient ** 2;
    return -(rate * decay * at(w) + inertia * at(velocity) + (rate * gradient) / Math.sqrt(square + epsilon));
  };
  return optimizerStep({ w, wOut, begin, end, states: velocity === 0 ? 1 : 2, change });
}

/** @type {DescribeCall} */
export function allFinite(args) {
  const [, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 4 * (end - begin),
    sample: (_before, _after, _pick, result) => [sumSample(result, [1])],
  };
}

/** @type {DescribeCall} */
export function sumGroups(args) {
  const [partials, out, groups, count, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${groups} x ${end - begin}`,
    flops: 0,
    bytes: 4 * (groups + 1) * (end - begin),
    sample(before, after, pick) {
      const i = begin + pick(end - begin);
      const terms = Array.from({ length: groups }, (_, group) => float(before, partials, group * count + i));
      return [sumSample(float(after, out, i), terms)];
    },
  };
}

/** @type {DescribeCall} */
export function accumulate(args) {
  const [x, sum, factor, isFirst, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 4 * (isFirst ? 2 : 3) * (end - begin),
    sample(before, after, pick) {
      const i = begin + pick(end - begin);
      return [sumSample(float(after, sum, i), [factor * float(before, x, i), isFirst ? 0 : float(before, sum, i)])];
    },
  };
}

/** @type {DescribeCall} */
export function exponentialAverage(args) {
  const [average, x, keep, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 12 * (end - begin),
    sample(before, after, pick) {
      const i = begin + pick(end - begin);
      return [
        sumSample(float(after, average, i), [keep * float(before, average, i), (1 - keep) * float(before, x, i)]),
      ];
    },
  };
}

/** @type {DescribeCall} */
export function sumOfSquares(args) {
  const [x, begin, end] = /** @type {any} */ (args);
  return {
    shape: `${end - begin}`,
    flops: 0,
    bytes: 4 * (end - begin),
    sample(before, _after, _pick, result) {
      return [
        sumSample(
          result,
          Array.from({ length: end - begin }, (_, i) => float(before, x, begin + i) ** 2),
        ),
      ];
    },
  };
}

/** @type {DescribeCall} */
export function scaleBytes(args) {
  const [bytes, out, begin, end, channels, C, factors, shifts] = /** @type {any} */ (args);
  return {
    shape: `${end - begin} x ${channels}`,
    flops: 0,
    bytes: (end - begin) * (channels + 4 * C),
    sample(before, after, pick) {
      const [p, c] = [begin + pick(end - begin), pick(channels)];
      const byte = Number(before.u8[bytes + p * channels + c]);
      const [factor, shift] = [Number(before.f64[factors / 8 + c]), Number(before.f64[shifts / 8 + c])];
      return [sumSample(float(after, out, p * C + c), [byte * factor, shift])];
    },
  };
}
