// What the plain loops share. They read the engine's memory as it was before a call.

/**
 * @typedef {object} Memory
 * @property {Float32Array} f32
 * @property {Float64Array} f64
 * @property {Int32Array} i32
 * @property {Uint8Array} u8
 */

/**
 * One output of a kernel.
 *
 * @typedef {object} Sample
 * @property {number} actual
 * @property {number} expected
 * @property {number} magnitude the sum of the terms' absolute values, which rounding errors go by
 */

/**
 * What a call of a kernel does.
 *
 * @typedef {object} KernelModel
 * @property {string} shape
 * @property {number} flops of products, 2 for a multiply-add, as far as the kernel is about them; padded channels count
 * @property {number} bytes of the tensors, each read or written once
 * @property {(before: Memory, after: Memory, pick: (count: number) => number, result: number) => Sample[]} sample
 */

/** @typedef {(args: number[]) => KernelModel} DescribeCall */

/** @param {ArrayBuffer} buffer */
export function viewsOf(buffer) {
  return {
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u8: new Uint8Array(buffer),
  };
}

/**
 * @param {Memory} memory
 * @param {number | undefined} pointer
 * @param {number} index
 */
export function float(memory, pointer, index) {
  return Number(memory.f32[Number(pointer) / 4 + index]);
}

/** What a stage reads: `clamp(scale * x + offset, low, high)`, or x as it is without scale (0). @typedef {{ x: number, scale: number, offset: number, low: number, high: number }} Source */

/**
 * @param {Memory} memory
 * @param {Source} source
 * @param {number} index in x
 * @param {number} c channel
 */
export function activated(memory, source, index, c) {
  return Math.min(Math.max(normalized(memory, source, index, c), source.low), source.high);
}

/**
 * 1 where the clamp lets the gradient through, 0 where not; undefined where float32 may see it otherwise.
 *
 * @param {Memory} memory
 * @param {Source} source
 * @param {number} index
 * @param {number} c
 */
export function mask(memory, source, index, c) {
  const y = normalized(memory, source, index, c);
  if (Math.abs(y - source.low) < 1e-5 || Math.abs(y - source.high) < 1e-5) return undefined;
  return source.low < y && y <= source.high ? 1 : 0;
}

/**
 * @param {Memory} memory
 * @param {Source} source
 * @param {number} index
 * @param {number} c
 */
function normalized(memory, { x, scale, offset }, index, c) {
  if (scale === 0) return float(memory, x, index);
  return float(memory, scale, c) * float(memory, x, index) + float(memory, offset, c);
}

/** The gradient of z, `c1 * dy + c2 * z + c3`. @typedef {{ dy: number, z: number, c1: number, c2: number, c3: number }} Gradient */

/**
 * @param {Memory} memory
 * @param {Gradient} gradient
 * @param {number} index in dy and z
 * @param {number} f channel
 */
export function formed(memory, { dy, z, c1, c2, c3 }, index, f) {
  return (
    float(memory, c1, f) * float(memory, dy, index) +
    float(memory, c2, f) * float(memory, z, index) +
    float(memory, c3, f)
  );
}

/**
 * @param {number} actual
 * @param {Iterable<number>} terms that add up to what is expected
 * @param {number} [factor] of the sum
 * @returns {Sample}
 */
export function sumSample(actual, terms, factor = 1) {
  let expected = 0;
  let magnitude = 0;
  for (const term of terms) {
    expected += factor * term;
    magnitude += Math.abs(factor * term);
  }
  return { actual, expected, magnitude };
}

/** Float32 sums of up to some 100,000 terms stay far below it, and a wrong index does not. */
const TOLERANCE = 1e-5;

/** @param {Sample} sample */
export function agrees({ actual, expected, magnitude }) {
  return Math.abs(actual - expected) <= TOLERANCE * magnitude + 1e-30;
}
