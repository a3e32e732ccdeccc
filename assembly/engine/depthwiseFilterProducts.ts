// The gradient of a depthwise filter: products of the planes of the activated input and of dz, added up.
import { multiplyAdd } from '../simd';
import { LANE, Planes } from './depthwisePlanes';

/** Zeros for what `addFilterGradient` adds to. */
export function clearFilterGradient(s: Planes, dw: usize, panels: i32): void {
  for (let tap = s.KH * s.filterWidth; tap > 0; tap--, dw += <usize>s.Q << 2) {
    memory.fill(dw, 0, <usize>panels * LANE);
  }
}

/** Adds the packed images' share to `dw [KH,filterWidth,Q]`. */
export function addFilterGradient(s: Planes, dw: usize, panels: i32): void {
  const tapBytes = <usize>s.Q << 2;
  for (let kh = 0; kh < s.KH; kh++) {
    const above = s.padTop - kh;
    const first = above > 0 ? (above + s.strideH - 1) / s.strideH : 0;
    const rows = above + s.H > 0 ? min(s.OH, (above + s.H - 1) / s.strideH + 1) - first : 0;
    const row = s.inputs + <usize>(first * s.strideH - above) * s.rowBytes;
    const gradientRow = s.gradients + <usize>first * s.gradientRowBytes + <usize>s.reach * s.columnBytes;
    let tap = dw + <usize>(kh * s.filterWidth + s.firstTap) * tapBytes;
    for (let kw = 0; kw < s.KW;) {
      const taps = s.KW - kw < 3 ? 1 : 3;
      for (let panel: usize = 0; panel < <usize>panels; panel++) {
        const from = row + panel * s.planeBytes;
        const gradient = gradientRow + panel * s.gradientPlaneBytes;
        const to = tap + panel * LANE;
        if (taps == 3) addThreeProducts(s, from, s.taps + (<usize>kw << 2), gradient, rows, to, tapBytes);
        else addProducts(s, from + load<i32>(s.taps + (<usize>kw << 2)), gradient, rows, to);
      }
      kw += taps;
      tap += <usize>taps * tapBytes;
    }
  }
}

/** Adds the products of rows of the input and of dz to the gradient of one tap. */
function addProducts(s: Planes, from: usize, gradient: usize, rows: i32, to: usize): void {
  const rowBytes = <usize>s.strideH * s.rowBytes;
  const lanes = s.OW * s.images;
  let s0 = f32x4.splat(0), s1 = s0;
  for (; rows > 0; rows--, from += rowBytes, gradient += s.gradientRowBytes) {
    let lane = from;
    let dz = gradient;
    for (let i = lanes; i > 0; i--, lane += LANE, dz += LANE) {
      s0 = multiplyAdd(v128.load(lane), v128.load(dz), s0);
      s1 = multiplyAdd(v128.load(lane, 16), v128.load(dz, 16), s1);
    }
  }
  addPanel(to, s0, s1);
}

/** The same for three taps at once, so that each dz is loaded once for three. */
function addThreeProducts(
  s: Planes, from: usize, taps: usize, gradient: usize, rows: i32, to: usize, tapBytes: usize,
): void {
  const rowBytes = <usize>s.strideH * s.rowBytes;
  const lanes = s.OW * s.images;
  const second = <usize>(load<i32>(taps, 4) - load<i32>(taps));
  const third = <usize>(load<i32>(taps, 8) - load<i32>(taps));
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00;
  from += load<i32>(taps);
  for (; rows > 0; rows--, from += rowBytes, gradient += s.gradientRowBytes) {
    let lane = from;
    let dz = gradient;
    for (let i = lanes; i > 0; i--, lane += LANE, dz += LANE) {
      const d0 = v128.load(dz);
      const d1 = v128.load(dz, 16);
      s00 = multiplyAdd(v128.load(lane), d0, s00);
      s01 = multiplyAdd(v128.load(lane, 16), d1, s01);
      const lane1 = lane + second;
      s10 = multiplyAdd(v128.load(lane1), d0, s10);
      s11 = multiplyAdd(v128.load(lane1, 16), d1, s11);
      const lane2 = lane + third;
      s20 = multiplyAdd(v128.load(lane2), d0, s20);
      s21 = multiplyAdd(v128.load(lane2, 16), d1, s21);
    }
  }
  addPanel(to, s00, s01);
  addPanel(to + tapBytes, s10, s11);
  addPanel(to + tapBytes * 2, s20, s21);
}

// @ts-ignore: decorator
@inline
function addPanel(to: usize, low: v128, high: v128): void {
  v128.store(to, f32x4.add(v128.load(to), low));
  v128.store(to, f32x4.add(v128.load(to, 16), high), 16);
}
