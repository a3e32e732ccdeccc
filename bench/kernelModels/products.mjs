import { activated, float, formed, mask, sumSample } from './plainLoop.mjs';

/** @typedef {import('./plainLoop.mjs').DescribeCall} DescribeCall */
/** @typedef {import('./plainLoop.mjs').Memory} Memory */
/** @typedef {import('./plainLoop.mjs').Source} Source */

/** @param {number[]} geometry */
function readGeometry(geometry) {
  const [N, H, W, C, OH, OW, F, KH, KW, strideH, strideW, padTop, padLeft] = /** @type {any} */ (geometry);
  /** @type {Record<string, number>} */
  const g = { N, H, W, C, OH, OW, F, KH, KW, strideH, strideW, padTop, padLeft };
  return /** @type {Record<'N' | 'H' | 'W' | 'C' | 'OH' | 'OW' | 'F' | 'KH' | 'KW' | 'strideH' | 'strideW' | 'padTop' | 'padLeft', number>} */ (
    g
  );
}

/** @param {ReturnType<typeof readGeometry>} geometry */
function shapeOf({ H, W, C, OH, OW, F, KH, KW }) {
  return `${KH}x${KW}, ${H}x${W}x${C} to ${OH}x${OW}x${F}`;
}

/** @param {ReturnType<typeof readGeometry>} geometry */
function workOf({ N, H, W, C, OH, OW, F, KH, KW }) {
  const input = N * H * W * C;
  const output = N * OH * OW * F;
  return { flops: 2 * output * KH * KW * C, input, output, weights: KH * KW * C * F };
}

/**
 * The activated input under tap k = (kh, kw, c) of output pixel p.
 *
 * @param {Memory} memory
 * @param {Source} source
 * @param {ReturnType<typeof readGeometry>} geometry
 * @param {number} p
 * @param {number} k
 */
function patchValue(memory, source, { H, W, C, OH, OW, KW, strideH, strideW, padTop, padLeft }, p, k) {
  const c = k % C;
  const tap = Math.floor(k / C);
  const n = Math.floor(p / (OH * OW));
  const h = Math.floor((p % (OH * OW)) / OW) * strideH + Math.floor(tap / KW) - padTop;
  const w = (p % OW) * strideW + (tap % KW) - padLeft;
  if (h < 0 || h >= H || w < 0 || w >= W) return 0;
  return activated(memory, source, ((n * H + h) * W + w) * C + c, c);
}

/** Index into panels `[columns / 8][rows][8]`. */
const inPanels = (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ rows) =>
  (Math.floor(column / 8) * rows + row) * 8 + (column % 8);

/** @type {DescribeCall} */
export function convForward(args) {
  const [x, scale, offset, low, high, weights, z, , , , , , , ...rest] = /** @type {any} */ (args);
  const geometry = readGeometry(rest);
  const source = { x, scale, offset, low, high };
  const { F, C, KH, KW } = geometry;
  const K = KH * KW * C;
  const work = workOf(geometry);
  return {
    shape: shapeOf(geometry),
    flops: work.flops,
    bytes: 4 * (work.input + work.weights + work.output),
    sample(before, after, pick) {
      const p = pick(work.output / F);
      const f = pick(F);
      const terms = Array.from(
        { length: K },
        (_, k) => patchValue(before, source, geometry, p, k) * float(before, weights, inPanels(k, f, K)),
      );
      return [sumSample(float(after, z, p * F + f), terms)];
    },
  };
}

/** @type {DescribeCall} */
export function pointwiseInputGradient(args) {
  const [dy, z, c1, c2, c3, transposed, x, scale, offset, , low, high, dx, , , , , , , P, C, F] = /** @type {any} */ (
    args
  );
  return {
    shape: `1x1, ${P} x ${F} to ${C}`,
    flops: 2 * P * C * F,
    bytes: 4 * (2 * P * F + 2 * P * C + C * F),
    sample(before, after, pick) {
      const p = pick(P);
      const c = pick(C);
      const passes = mask(before, { x, scale, offset, low, high }, p * C + c, c);
      if (passes === undefined) return [];
      const gradient = { dy, z, c1, c2, c3 };
      const terms = Array.from(
        { length: F },
        (_, f) => formed(before, gradient, p * F + f, f) * float(before, transposed, inPanels(f, c, F)),
      );
      return [sumSample(float(after, dx, p * C + c), terms, passes)];
    },
  };
}

/** @type {DescribeCall} */
export function convWeightGradient(args) {
  const [x, scale, offset, low, high, dy, z, c1, c2, c3, dw, , , , rowsPerChunk, , , ...rest] = /** @type {any} */ (
    args
  );
  const geometry = readGeometry(rest);
  const { N, OH, OW, F, C, KH, KW } = geometry;
  const K = KH * KW * C;
  const P = N * OH * OW;
  const chunks = Math.ceil(P / rowsPerChunk);
  const work = workOf(geometry);
  return {
    shape: shapeOf(geometry),
    flops: work.flops,
    bytes: 4 * (work.input + 2 * work.output + chunks * work.weights),
    sample(before, after, pick) {
      const chunk = pick(chunks);
      const k = pick(K);
      const f = pick(F);
      const start = chunk * rowsPerChunk;
      const terms = Array.from({ length: Math.min(rowsPerChunk, P - start) }, (_, i) => {
        const a = patchValue(before, { x, scale, offset, low, high }, geometry, start + i, k);
        return a * formed(before, { dy, z, c1, c2, c3 }, (start + i) * F + f, f);
      });
      return [sumSample(float(after, dw, chunk * K * F + inPanels(k, f, K)), terms)];
    },
  };
}

/** @type {DescribeCall} */
export function transposePanels(args) {
  const [w, out, K, F] = /** @type {any} */ (args);
  return {
    shape: `${K} x ${F}`,
    flops: 0,
    bytes: 8 * K * F,
    sample(before, after, pick) {
      const k = pick(K);
      const f = pick(F);
      return [sumSample(float(after, out, inPanels(f, k, F)), [float(before, w, inPanels(k, f, K))])];
    },
  };
}
