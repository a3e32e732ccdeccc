import { transpose4x4 } from '../gemm';

/**
 * The transpose of a 1x1 convolution's weights, from panels to panels, for its input gradient.
 *
 * `w [F / 8][K][8]`, `out [K / 8][F][8]`, K and F multiples of 8. The definition:
 *
 *     out[k / 8][f][k % 8] = w[f / 8][k][f % 8]
 *
 * A unit is a panel of `out`, 8 of the K rows.
 */
export function f32TransposePanels(w: usize, out: usize, K: i32, F: i32, unitBegin: i32, unitEnd: i32): void {
  const panelBytes = <usize>K << 5;
  const bytes = <usize>F << 5;
  for (let unit = unitBegin; unit < unitEnd; unit++) {
    let from = w + (<usize>unit << 8);
    let to = out + <usize>unit * bytes;
    for (const last = to + bytes; to < last; to += 256, from += panelBytes) {
      transpose4x4(from, 32, to, 32);
      transpose4x4(from + 128, 32, to + 16, 32);
      transpose4x4(from + 16, 32, to + 128, 32);
      transpose4x4(from + 144, 32, to + 144, 32);
    }
  }
}
