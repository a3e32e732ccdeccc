// Letters: C channels, a multiple of 4; `rows` = all pixels of all pictures.
import { clamp, multiplyAdd } from '../simd';
import { gradientRow } from './gradientRow';

/**
 * What dropout multiplies values with.
 *
 *     mask[i] = hash(seed, stream, i) / 2^32 >= rate ? 1 / (1 - rate) : 0, for begin <= i < end, both multiples of 4
 *
 * The hash depends on nothing but its arguments, so any share of the mask can be made by any thread: two rounds of the
 * finaliser of MurmurHash3, each keyed by seed and stream. Two masks of one seed take two streams. 0 <= rate < 1.
 */
export function f32DropoutMask(mask: usize, seed: u32, stream: u32, rate: f64, begin: i32, end: i32): void {
  const key = mix(v128.xor(mix(i32x4.splat(seed + 0x9e3779b9)), i32x4.splat(stream)));
  const secondKey = mix(v128.xor(key, i32x4.splat(0x243f6a88)));
  const threshold = i32x4.splat(<u32>ceil(rate * 4294967296.0));
  const factor = f32x4.splat(<f32>(1 / (1 - rate)));
  let index = i32x4.add(i32x4.splat(begin), i32x4(0, 1, 2, 3));
  for (let i = begin; i < end; i += 4) {
    const hash = mix(v128.xor(mix(i32x4.add(index, key)), secondKey));
    v128.store(mask + (<usize>i << 2), v128.and(factor, i32x4.ge_u(hash, threshold)));
    index = i32x4.add(index, i32x4.splat(4));
  }
}

// @ts-ignore: decorator
@inline
function mix(h: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/**
 * Dropout of an activated input; mask = 0 (absent), as in inference, counts as 1 everywhere.
 *
 * `x`, `mask`, `out [rows,C]`. The definition, for begin <= row < end:
 *
 *     out[row,c] = clamp(scale[c] * x[row,c] + offset[c], low, high) * mask[row,c]
 */
export function f32DropoutForward(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, mask: usize, out: usize, C: i32, begin: i32, end: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const ones = f32x4.splat(1);
  const rowBytes = <usize>C << 2;
  for (let row = begin; row < end; row++) {
    const start = <usize>row * rowBytes;
    for (let c: usize = 0; c < rowBytes; c += 16) {
      const a = clamp(multiplyAdd(v128.load(x + start + c), v128.load(scale + c), v128.load(offset + c)), lows, highs);
      const factor = mask != 0 ? v128.load(mask + start + c) : ones;
      v128.store(out + start + c, f32x4.mul(a, factor));
    }
  }
}

/**
 * The gradient of dropout with respect to what was in front of the clamp that it read through.
 *
 * `dy`, `z`, `x`, `mask`, `dx [rows,C]`, `sums [ceil(rows / rowsPerUnit)][2][C]` float64. The definition:
 *
 *     dz[row,c] = c1[c] * dy[row,c] + c2[c] * z[row,c] + c3[c]
 *     y[row,c] = scale[c] * x[row,c] + offset[c]
 *     dx[row,c] = low < y[row,c] && y[row,c] <= high ? dz[row,c] * mask[row,c] : 0
 *     sums[unit][0][c] = sum of dx over the unit's rows, sums[unit][1][c] = sum of dx * (x - mean)
 *
 * mask = 0 (absent) counts as 1 everywhere.
 */
export function f32DropoutBackward(
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, mask: usize,
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, dx: usize, sums: usize,
  rowsPerUnit: i32, unitBegin: i32, unitEnd: i32, rows: i32, C: i32,
): void {
  const rowBytes = <usize>C << 2;
  memory.fill(sums + (<usize>(unitBegin * C) << 4), 0, <usize>((unitEnd - unitBegin) * C) << 4);
  for (let row = unitBegin * rowsPerUnit, end = min(rows, unitEnd * rowsPerUnit); row < end; row++) {
    const at = <usize>row * rowBytes;
    gradientRow(
      x + at, scale, offset, mean, low, high, 1, mask != 0 ? mask + at : 0,
      dy + at, z + at, c1, c2, c3, dx + at, sums + (<usize>(row / rowsPerUnit * C) << 4), C,
    );
  }
}
