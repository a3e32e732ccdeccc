// The most that a core does in WebAssembly: chains of products and sums on registers, no memory. Compiled by bench/peak.mjs.
// As many chains as keep two units busy, and no more than V8 has vector registers for. `factor` and `term` come from
// outside, so that nothing can be computed in advance.

/** Floating-point operations of a round: 8 fused multiply-adds, or 6 products and, beside them, 6 sums, of 4 lanes. */
export const flopsPerRound: i32 = ASC_FEATURE_RELAXED_SIMD ? 64 : 48;

/** `rounds` rounds of what the build has: fused multiply-adds only with relaxed SIMD. */
export function run(rounds: i32, factor: f32, term: f32): f32 {
  return ASC_FEATURE_RELAXED_SIMD ? fused(rounds, factor, term) : separate(rounds, factor, term);
}

/** A fused multiply-add takes 4 cycles. */
function fused(rounds: i32, factor: f32, term: f32): f32 {
  const a = f32x4.splat(factor);
  const b = f32x4.splat(term);
  let c0 = b,
    c1 = b,
    c2 = b,
    c3 = b,
    c4 = b,
    c5 = b,
    c6 = b,
    c7 = b;
  for (; rounds > 0; rounds--) {
    c0 = f32x4.relaxed_madd(c0, a, b);
    c1 = f32x4.relaxed_madd(c1, a, b);
    c2 = f32x4.relaxed_madd(c2, a, b);
    c3 = f32x4.relaxed_madd(c3, a, b);
    c4 = f32x4.relaxed_madd(c4, a, b);
    c5 = f32x4.relaxed_madd(c5, a, b);
    c6 = f32x4.relaxed_madd(c6, a, b);
    c7 = f32x4.relaxed_madd(c7, a, b);
  }
  return total(c0, c1, c2, c3, c4, c5, c6, c7);
}

function separate(rounds: i32, factor: f32, term: f32): f32 {
  const a = f32x4.splat(factor);
  const b = f32x4.splat(term);
  let p0 = b,
    p1 = b,
    p2 = b,
    p3 = b,
    p4 = b,
    p5 = b,
    s0 = b,
    s1 = b,
    s2 = b,
    s3 = b,
    s4 = b,
    s5 = b;
  for (; rounds > 0; rounds--) {
    p0 = f32x4.mul(p0, a);
    s0 = f32x4.add(s0, b);
    p1 = f32x4.mul(p1, a);
    s1 = f32x4.add(s1, b);
    p2 = f32x4.mul(p2, a);
    s2 = f32x4.add(s2, b);
    p3 = f32x4.mul(p3, a);
    s3 = f32x4.add(s3, b);
    p4 = f32x4.mul(p4, a);
    s4 = f32x4.add(s4, b);
    p5 = f32x4.mul(p5, a);
    s5 = f32x4.add(s5, b);
  }
  return total(p0, p1, p2, p3, p4, p5, s0, s1) + total(s2, s3, s4, s5, b, b, b, b);
}

function total(c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128, c7: v128): f32 {
  const low = f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3));
  const high = f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7));
  return f32x4.extract_lane(f32x4.add(low, high), 0);
}
