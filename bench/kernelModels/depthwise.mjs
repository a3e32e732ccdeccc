import { activated, float, formed, mask, sumSample } from './plainLoop.mjs';

/** @typedef {import('./plainLoop.mjs').DescribeCall} DescribeCall */

/** @param {number[]} geometry */
function readGeometry(geometry) {
  const [N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft] = /** @type {any} */ (geometry);
  /** @type {Record<'N' | 'H' | 'W' | 'C' | 'OH' | 'OW' | 'Q' | 'M' | 'KH' | 'KW' | 'strideH' | 'strideW' | 'padTop' | 'padLeft', number>} */
  const named = { N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft };
  return named;
}

/** @param {ReturnType<typeof readGeometry>} geometry */
function shapeOf({ KH, KW, H, W, C, OH, OW, Q }) {
  return `${KH}x${KW}, ${H}x${W}x${C} to ${OH}x${OW}x${Q}`;
}

/** @type {DescribeCall} */
export function depthwiseForward(args) {
  const [x, scale, offset, low, high, weights, z, , , , , , ...rest] = /** @type {any} */ (args);
  const geometry = readGeometry(rest);
  const { N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft } = geometry;
  const outputs = N * OH * OW * Q;
  return {
    shape: shapeOf(geometry),
    flops: 2 * KH * KW * outputs,
    bytes: 4 * (N * H * W * C + outputs),
    sample(before, after, pick) {
      const [n, oh, ow, q] = /** @type {[number, number, number, number]} */ ([N, OH, OW, Q].map(pick));
      const c = Math.floor(q / M);
      const terms = [];
      for (let kh = 0; kh < KH; kh++) {
        for (let kw = 0; kw < KW; kw++) {
          const [h, w] = [oh * strideH + kh - padTop, ow * strideW + kw - padLeft];
          if (h < 0 || h >= H || w < 0 || w >= W) continue;
          const a = activated(before, { x, scale, offset, low, high }, ((n * H + h) * W + w) * C + c, c);
          terms.push(a * float(before, weights, (kh * KW + kw) * Q + q));
        }
      }
      return [sumSample(float(after, z, ((n * OH + oh) * OW + ow) * Q + q), terms)];
    },
  };
}

/** @type {DescribeCall} */
export function depthwiseBackward(args) {
  const [x, scale, offset, , low, high, weights, dy, z, c1, c2, c3, dx, , dw, , , , imagesPerUnit, ...rest] =
    /** @type {any} */ (args);
  const geometry = readGeometry(rest);
  const { N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft } = geometry;
  const source = { x, scale, offset, low, high };
  const gradient = { dy, z, c1, c2, c3 };
  const [inputs, outputs] = [N * H * W * C, N * OH * OW * Q];
  return {
    shape: shapeOf(geometry),
    // Both gradients.
    flops: 4 * KH * KW * outputs,
    bytes: 4 * (2 * inputs + 2 * outputs),
    sample: (before, after, pick) => [...sampleInput(before, after, pick), sampleWeight(before, after, pick)],
  };

  /**
   * @param {import('./plainLoop.mjs').Memory} before
   * @param {import('./plainLoop.mjs').Memory} after
   * @param {(count: number) => number} pick
   */
  function sampleInput(before, after, pick) {
    const [n, h, w, c] = /** @type {[number, number, number, number]} */ ([N, H, W, C].map(pick));
    const index = ((n * H + h) * W + w) * C + c;
    const passes = mask(before, source, index, c);
    if (passes === undefined) return [];
    const terms = [];
    for (let q = c * M; q < (c + 1) * M; q++) {
      for (let kh = 0; kh < KH; kh++) {
        for (let kw = 0; kw < KW; kw++) {
          const [oh, ow] = [(h + padTop - kh) / strideH, (w + padLeft - kw) / strideW];
          const inside = Number.isInteger(oh) && Number.isInteger(ow) && oh >= 0 && oh < OH && ow >= 0 && ow < OW;
          if (!inside) continue;
          const dz = formed(before, gradient, ((n * OH + oh) * OW + ow) * Q + q, q);
          terms.push(dz * float(before, weights, (kh * KW + kw) * Q + q));
        }
      }
    }
    return [sumSample(float(after, dx, index), terms, passes)];
  }

  /**
   * @param {import('./plainLoop.mjs').Memory} before
   * @param {import('./plainLoop.mjs').Memory} after
   * @param {(count: number) => number} pick
   */
  function sampleWeight(before, after, pick) {
    const groups = Math.ceil(N / imagesPerUnit);
    const [group, kh, kw, q] = /** @type {[number, number, number, number]} */ ([groups, KH, KW, Q].map(pick));
    const c = Math.floor(q / M);
    const terms = [];
    for (let n = group * imagesPerUnit; n < Math.min(N, (group + 1) * imagesPerUnit); n++) {
      for (let oh = 0; oh < OH; oh++) {
        for (let ow = 0; ow < OW; ow++) {
          const [h, w] = [oh * strideH + kh - padTop, ow * strideW + kw - padLeft];
          if (h < 0 || h >= H || w < 0 || w >= W) continue;
          const a = activated(before, source, ((n * H + h) * W + w) * C + c, c);
          terms.push(a * formed(before, gradient, ((n * OH + oh) * OW + ow) * Q + q, q));
        }
      }
    }
    return sumSample(float(after, dw, ((group * KH + kh) * KW + kw) * Q + q), terms);
  }
}
