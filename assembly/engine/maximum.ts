/** The largest of `x[begin,end)`, multiples of 4; 0 if none is above it. */
export function f32Maximum(x: usize, begin: i32, end: i32): f32 {
  let largest = f32x4.splat(0);
  const last = x + (<usize>end << 2);
  for (let at = x + (<usize>begin << 2); at < last; at += 16) largest = f32x4.pmax(largest, v128.load(at));
  const low = max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  return max(low, max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)));
}
