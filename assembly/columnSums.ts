// out[c] = sum over r of x[r,c] / divisor, x [R,C] float32: what tfjs's Sum and Mean come to over leading axes.
//
// The plain loop:
//   for c < C: out[c] = 0; for r < R: out[c] += x[r,c]; out[c] /= divisor
//
// Rows are summed in blocks and the blocks added up, so that the error grows with R / BLOCK + BLOCK, not with R.

const BLOCK: i32 = 256;

export function f32ColumnSums(x: usize, out: usize, R: i32, C: i32, divisor: f32): void {
  const rowBytes = <usize>C << 2;
  memory.fill(out, 0, rowBytes);
  for (let r = 0; r < R; r += BLOCK) {
    const rows = min(BLOCK, R - r);
    const block = x + <usize>r * rowBytes;
    let c: usize = 0;
    // 16 columns are a cache line, which is then read once.
    for (; c + 64 <= rowBytes; c += 64) addSixteenColumns(block + c, out + c, rows, rowBytes);
    for (; c < rowBytes; c += 4) addColumn(block + c, out + c, rows, rowBytes);
  }
  for (let c: usize = 0; c < rowBytes; c += 4) store<f32>(out + c, load<f32>(out + c) / divisor);
}

// @ts-ignore: decorator
@inline
function addSixteenColumns(x: usize, out: usize, rows: i32, rowBytes: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let r = 0; r < rows; r++, x += rowBytes) {
    s0 = f32x4.add(s0, v128.load(x));
    s1 = f32x4.add(s1, v128.load(x, 16));
    s2 = f32x4.add(s2, v128.load(x, 32));
    s3 = f32x4.add(s3, v128.load(x, 48));
  }
  v128.store(out, f32x4.add(v128.load(out), s0));
  v128.store(out, f32x4.add(v128.load(out, 16), s1), 16);
  v128.store(out, f32x4.add(v128.load(out, 32), s2), 32);
  v128.store(out, f32x4.add(v128.load(out, 48), s3), 48);
}

// @ts-ignore: decorator
@inline
function addColumn(x: usize, out: usize, rows: i32, rowBytes: usize): void {
  let sum: f32 = 0;
  for (let r = 0; r < rows; r++, x += rowBytes) sum += load<f32>(x);
  store<f32>(out, load<f32>(out) + sum);
}
