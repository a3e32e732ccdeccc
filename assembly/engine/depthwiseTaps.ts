// The inner loops of the depthwise convolutions, forward and back, on lanes of 8 channels.
import { multiplyAdd } from '../simd';
import { LANE } from './depthwisePlanes';

/**
 * `to[lane] = sum over row, column: from[row * rowStep + taps[column] + lane] * w[row * wRow + column * wColumn]`.
 *
 * Whole tiles: what is behind `from` is read, and what is behind `to` overwritten, up to 7 lanes far.
 */
export function convolveLanes(
  from: usize, rowStep: usize, taps: usize, w: usize, wRow: usize, wColumn: usize, rows: i32, columns: i32,
  to: usize, lanes: i32,
): void {
  if (columns == 3) {
    const step = load<i32>(taps, 4) - load<i32>(taps);
    if (abs(step) == LANE) {
      const isBackwards = step < 0;
      slideThree(
        from + load<i32>(isBackwards ? taps + 8 : taps), rowStep,
        isBackwards ? w + 2 * wColumn : w, wRow, isBackwards ? -wColumn : wColumn, rows, to, lanes,
      );
      return;
    }
  }
  const end = taps + (<usize>columns << 2);
  for (; lanes > 0; lanes -= 4, from += 128, to += 128) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let row = from;
    let wAt = w;
    for (let i = rows; i > 0; i--, row += rowStep, wAt += wRow) {
      let tap = wAt;
      for (let column = taps; column < end; column += 4, tap += wColumn) {
        const at = row + load<i32>(column);
        const w0 = v128.load(tap);
        const w1 = v128.load(tap, 16);
        s00 = multiplyAdd(v128.load(at), w0, s00);
        s01 = multiplyAdd(v128.load(at, 16), w1, s01);
        s10 = multiplyAdd(v128.load(at, 32), w0, s10);
        s11 = multiplyAdd(v128.load(at, 48), w1, s11);
        s20 = multiplyAdd(v128.load(at, 64), w0, s20);
        s21 = multiplyAdd(v128.load(at, 80), w1, s21);
        s30 = multiplyAdd(v128.load(at, 96), w0, s30);
        s31 = multiplyAdd(v128.load(at, 112), w1, s31);
      }
    }
    v128.store(to, s00);
    v128.store(to, s01, 16);
    v128.store(to, s10, 32);
    v128.store(to, s11, 48);
    v128.store(to, s20, 64);
    v128.store(to, s21, 80);
    v128.store(to, s30, 96);
    v128.store(to, s31, 112);
  }
}

/** The same for three taps that read neighbouring lanes: what one output reads, the next two read again. */
function slideThree(
  from: usize, rowStep: usize, w: usize, wRow: usize, wColumn: usize, rows: i32, to: usize, lanes: i32,
): void {
  for (let end = to + <usize>lanes * LANE; to < end; to += 8 * LANE, from += 8 * LANE) {
    for (let half: usize = 0; half < LANE; half += 16) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
      let row = from + half;
      let tap = w + half;
      for (let i = rows; i > 0; i--, row += rowStep, tap += wRow) {
        const w0 = v128.load(tap);
        const w1 = v128.load(tap + wColumn);
        const w2 = v128.load(tap + wColumn * 2);
        s0 = multiplyAdd(v128.load(row), w0, s0);
        let lane = v128.load(row, 32);
        s0 = multiplyAdd(lane, w1, s0);
        s1 = multiplyAdd(lane, w0, s1);
        lane = v128.load(row, 64);
        s0 = multiplyAdd(lane, w2, s0);
        s1 = multiplyAdd(lane, w1, s1);
        s2 = multiplyAdd(lane, w0, s2);
        lane = v128.load(row, 96);
        s1 = multiplyAdd(lane, w2, s1);
        s2 = multiplyAdd(lane, w1, s2);
        s3 = multiplyAdd(lane, w0, s3);
        lane = v128.load(row, 128);
        s2 = multiplyAdd(lane, w2, s2);
        s3 = multiplyAdd(lane, w1, s3);
        s4 = multiplyAdd(lane, w0, s4);
        lane = v128.load(row, 160);
        s3 = multiplyAdd(lane, w2, s3);
        s4 = multiplyAdd(lane, w1, s4);
        s5 = multiplyAdd(lane, w0, s5);
        lane = v128.load(row, 192);
        s4 = multiplyAdd(lane, w2, s4);
        s5 = multiplyAdd(lane, w1, s5);
        s6 = multiplyAdd(lane, w0, s6);
        lane = v128.load(row, 224);
        s5 = multiplyAdd(lane, w2, s5);
        s6 = multiplyAdd(lane, w1, s6);
        s7 = multiplyAdd(lane, w0, s7);
        lane = v128.load(row, 256);
        s6 = multiplyAdd(lane, w2, s6);
        s7 = multiplyAdd(lane, w1, s7);
        s7 = multiplyAdd(v128.load(row, 288), w2, s7);
      }
      const out = to + half;
      v128.store(out, s0);
      v128.store(out, s1, 32);
      v128.store(out, s2, 64);
      v128.store(out, s3, 96);
      v128.store(out, s4, 128);
      v128.store(out, s5, 160);
      v128.store(out, s6, 192);
      v128.store(out, s7, 224);
    }
  }
}
