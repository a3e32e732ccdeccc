// exp and log of our own: AssemblyScript's read tables, and static data would lie in a memory that is not ours.

/**
 * e^x by its Taylor series about the nearest multiple of ln 2, relative error below 1e-14; 0 for x < -708, Infinity for
 * x > 709.
 */
export function f64Exp(x: f64): f64 {
  if (x < -708) return 0;
  if (x > 709) return Infinity;
  // Added to 1.5 * 2^52, a number is rounded to an integer, which then stands in the lowest bits.
  const shifted = x * 1.4426950408889634 + 6755399441055744;
  const n = shifted - 6755399441055744;
  // ln 2 in two parts: of the first, n times it is exact.
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  let e: f64 = 1.0 / 39916800;
  e = e * r + 1.0 / 3628800;
  e = e * r + 1.0 / 362880;
  e = e * r + 1.0 / 40320;
  e = e * r + 1.0 / 5040;
  e = e * r + 1.0 / 720;
  e = e * r + 1.0 / 120;
  e = e * r + 1.0 / 24;
  e = e * r + 1.0 / 6;
  e = e * r + 0.5;
  e = e * r + 1;
  e = e * r + 1;
  return e * reinterpret<f64>((reinterpret<i64>(shifted) + 1023) << 52);
}

/**
 * ln x for normal x > 0, relative error below 1e-14; of NaN and Infinity themselves.
 *
 * With x = m * 2^k, sqrt(1/2) <= m < sqrt(2), and s = (m - 1) / (m + 1) it is k ln 2 + 2 (s + s^3 / 3 + s^5 / 5 + ...).
 */
export function f64Log(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i64>(x);
  // From the bits of sqrt(1/2) on, so that m falls into its range.
  const k = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const m = reinterpret<f64>(bits - (k << 52));
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum: f64 = 1.0 / 17;
  sum = sum * square + 1.0 / 15;
  sum = sum * square + 1.0 / 13;
  sum = sum * square + 1.0 / 11;
  sum = sum * square + 1.0 / 9;
  sum = sum * square + 1.0 / 7;
  sum = sum * square + 1.0 / 5;
  sum = sum * square + 1.0 / 3;
  sum = sum * square + 1;
  return <f64>k * 0.6931471805599453 + 2 * s * sum;
}
