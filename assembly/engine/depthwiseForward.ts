import { multiplyAdd } from '../simd';
import {
  BLOCK, clear, LANE, layOut, packInputRow, packWeights, Planes, RECORD_BYTES, touchRow,
} from './depthwisePlanes';
import { convolveLanes } from './depthwiseTaps';
import { promoteHigh } from './doubles';

/**
 * A depthwise convolution of an activated input, with the sums that batch norm needs.
 *
 * `x [N,H,W,C]`, `w [KH,KW,Q]`, `z [N,OH,OW,Q]`; C and Q are multiples of 8, output channel q reads input channel
 * floor(q / M). The definition:
 *
 *     a[n,h,w,c] = clamp(scale[c] * x[n,h,w,c] + offset[c], low, high), 0 outside of the picture
 *     z[n,oh,ow,q] = sum over kh, kw: a[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft, q / M] * w[kh,kw,q]
 *     moments[group][0][q] = sum of z over the group's pixels, moments[group][1][q] = sum of z * z, float64
 *
 * A group is `imagesPerUnit` images; a unit is 16 input channels of a group. `moments` may be 0.
 */
export function f32DepthwiseForward(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, w: usize, z: usize, moments: usize, scratch: usize,
  unitBegin: i32, unitEnd: i32, imagesPerUnit: i32,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, Q: i32, M: i32,
  KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const s = layOut(
    scratch, imagesPerUnit, N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft,
  );
  const blocks = (C + BLOCK - 1) / BLOCK;
  for (let unit = unitBegin; unit < unitEnd;) {
    const group = unit / blocks;
    const first = unit - group * blocks;
    const end = min(blocks, first + unitEnd - unit);
    const endImage = min(N, (group + 1) * imagesPerUnit);
    const endChannel = min(C, end * BLOCK);
    for (let image = group * imagesPerUnit; image < endImage; image += s.images) {
      const images = min(s.images, endImage - image);
      if (images < s.images) clear(s);
      for (let c = first * BLOCK; c < endChannel; c += s.panels * 8) {
        const q = c * M;
        const inputs = min(s.panels, (endChannel - c) >> 3);
        const outputs = min(inputs * M, (Q - q) >> 3);
        packWeights(s, w, q, outputs);
        convolveImages(s, x, scale, offset, low, high, z, image, images, c, inputs, q, outputs);
        if (moments != 0) {
          const isFirst = image == group * imagesPerUnit;
          storeMoments(s, moments + (<usize>(group * Q * 2 + q) << 3), outputs, images * OH * OW, isFirst);
        }
      }
    }
    unit += end - first;
  }
}

/** z of some images and panels, with its sums in `s.records`. */
function convolveImages(
  s: Planes, x: usize, scale: usize, offset: usize, low: f32, high: f32, z: usize,
  image: i32, images: i32, c: i32, inputs: i32, q: i32, outputs: i32,
): void {
  const pixelBytes = <usize>s.Q << 2;
  const filterBytes = <usize>(s.KH * s.KW) * LANE;
  const filterRowBytes = <usize>s.KW * LANE;
  let packed = 0;
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.strideH - s.padTop;
    const first = max(0, -top);
    const rows = min(s.KH, s.H - top) - first;
    for (; packed < min(s.H, top + s.KH); packed++) {
      packInputRow(s, x, scale, offset, low, high, image, images, packed, c, inputs, outputs);
    }
    const to = z + (<usize>((image * s.OH + oh) * s.OW * s.Q + q) << 2);
    touchRow(x, image, images, packed, s.H, s.W, s.C, c, inputs);
    touchRow(z, image, images, oh, s.OH, s.OW, s.Q, q, outputs);
    for (let panel: usize = 0; panel < <usize>outputs; panel++) {
      const row = s.results + panel * s.rowBytes;
      convolveLanes(
        s.inputs + panel * s.planeBytes + <usize>(top + first) * s.rowBytes, s.rowBytes, s.taps,
        s.weights + panel * filterBytes + <usize>first * filterRowBytes, filterRowBytes, LANE, rows, s.KW,
        row, s.OW * s.images,
      );
      const record = s.records + panel * RECORD_BYTES;
      if (oh == 0) startRecord(record, row, s.OW * s.images);
      storeLanes(
        row, to + panel * LANE, s.OW, s.columnBytes, pixelBytes,
        images, LANE, <usize>(s.OH * s.OW) * pixelBytes, record,
      );
    }
  }
}

/** Starts sums that are taken about the mean of a row, so that they lose nothing where the mean is large. */
function startRecord(record: usize, row: usize, lanes: i32): void {
  let sum0 = f32x4.splat(0), sum1 = sum0;
  memory.fill(record, 0, 2 * LANE);
  for (let lane = row, end = row + <usize>lanes * LANE; lane < end; lane += LANE) {
    sum0 = f32x4.add(sum0, v128.load(lane));
    sum1 = f32x4.add(sum1, v128.load(lane, 16));
  }
  const share = f32x4.splat(1 / <f32>lanes);
  v128.store(record, f32x4.mul(sum0, share), 64);
  v128.store(record, f32x4.mul(sum1, share), 80);
}

/** Writes a grid of lanes of z, and adds to the sums of `record`. */
function storeLanes(
  from: usize, to: usize, outer: i32, outerFrom: usize, outerTo: usize, inner: i32, innerFrom: usize, innerTo: usize,
  record: usize,
): void {
  if (outer > inner) {
    storeLanes(from, to, inner, innerFrom, innerTo, outer, outerFrom, outerTo, record);
    return;
  }
  let sum0 = v128.load(record);
  let sum1 = v128.load(record, 16);
  let squares0 = v128.load(record, 32);
  let squares1 = v128.load(record, 48);
  const shift0 = v128.load(record, 64);
  const shift1 = v128.load(record, 80);
  for (; outer > 0; outer--, from += outerFrom, to += outerTo) {
    let lane = from;
    let pixel = to;
    for (let i = inner; i > 0; i--, lane += innerFrom, pixel += innerTo) {
      const value0 = v128.load(lane);
      const value1 = v128.load(lane, 16);
      v128.store(pixel, value0);
      v128.store(pixel, value1, 16);
      const centred0 = f32x4.sub(value0, shift0);
      const centred1 = f32x4.sub(value1, shift1);
      sum0 = f32x4.add(sum0, centred0);
      sum1 = f32x4.add(sum1, centred1);
      squares0 = multiplyAdd(centred0, centred0, squares0);
      squares1 = multiplyAdd(centred1, centred1, squares1);
    }
  }
  v128.store(record, sum0);
  v128.store(record, sum1, 16);
  v128.store(record, squares0, 32);
  v128.store(record, squares1, 48);
}

/** Adds the sums in `s.records`, each of `count` values, to the group's moments. */
function storeMoments(s: Planes, moments: usize, panels: i32, count: i32, isFirst: bool): void {
  const counts = f64x2.splat(<f64>count);
  const squares = <usize>s.Q << 3;
  let record = s.records;
  for (let i = 0; i < 2 * panels; i++, moments += 32) {
    const sum = v128.load(record);
    const square = v128.load(record, 32);
    const shift = v128.load(record, 64);
    addMoments(
      moments, moments + squares, counts, isFirst,
      f64x2.promote_low_f32x4(sum), f64x2.promote_low_f32x4(square), f64x2.promote_low_f32x4(shift),
    );
    addMoments(
      moments + 16, moments + squares + 16, counts, isFirst, promoteHigh(sum), promoteHigh(square), promoteHigh(shift),
    );
    record += (i & 1) == 0 ? 16 : RECORD_BYTES - 16;
  }
}

/** From sums of z - shift those of z: sum + count * shift, squares + shift * (2 * sum + count * shift). */
// @ts-ignore: decorator
@inline
function addMoments(
  sums: usize, squares: usize, count: v128, isFirst: bool, sum: v128, square: v128, shift: v128,
): void {
  const shifts = f64x2.mul(count, shift);
  const total = f64x2.add(sum, shifts);
  const totalSquares = f64x2.add(square, f64x2.mul(shift, f64x2.add(f64x2.add(sum, sum), shifts)));
  v128.store(sums, isFirst ? total : f64x2.add(v128.load(sums), total));
  v128.store(squares, isFirst ? totalSquares : f64x2.add(v128.load(squares), totalSquares));
}
