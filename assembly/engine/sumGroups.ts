import { promoteHigh } from './doubles';

/**
 * Adds up the partial sums of groups, in their order.
 *
 * `partials [groups][count]`, `out [count]`, count, begin and end are multiples of 4. The definition, in float64:
 *
 *     out[i] = sum over g: partials[g][i], for begin <= i < end
 */
export function f32SumGroups(partials: usize, out: usize, groups: i32, count: i32, begin: i32, end: i32): void {
  const groupBytes = <usize>count << 2;
  for (let at = <usize>begin << 2, endAt = <usize>end << 2; at < endAt; at += 16) {
    let low = f64x2.splat(0), high = low;
    let from = partials + at;
    for (let group = groups; group > 0; group--, from += groupBytes) {
      const values = v128.load(from);
      low = f64x2.add(low, f64x2.promote_low_f32x4(values));
      high = f64x2.add(high, promoteHigh(values));
    }
    v128.store(out + at, v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
  }
}
