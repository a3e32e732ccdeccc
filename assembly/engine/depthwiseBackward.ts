import { multiplyAdd, passes } from '../simd';
import { addFilterGradient, clearFilterGradient } from './depthwiseFilterProducts';
import {
  BLOCK, clear, columnsFrom, firstColumn, LANE, layOut, packInputRow, packWeights, Planes, RECORD_BYTES, touchRow,
} from './depthwisePlanes';
import { convolveLanes } from './depthwiseTaps';
import { addToDoubles } from './doubles';

/**
 * The gradients of a depthwise convolution with respect to its filter and to what was in front of the clamp that it
 * read through.
 *
 * `x`, `dx [N,H,W,C]`, `w [KH,KW,Q]`, `dy`, `z [N,OH,OW,Q]`; C and Q are multiples of 8. The definition, with `a` the
 * activated input of `f32DepthwiseForward`:
 *
 *     dz[n,oh,ow,q] = c1[q] * dy[n,oh,ow,q] + c2[q] * z[n,oh,ow,q] + c3[q]
 *     for n, oh, ow, kh, kw, q, where ih = oh * strideH + kh - padTop, iw = ow * strideW + kw - padLeft lie inside:
 *       dw[group][kh,kw,q] += a[n,ih,iw,q / M] * dz[n,oh,ow,q]
 *       da[n,ih,iw,q / M] += w[kh,kw,q] * dz[n,oh,ow,q]
 *     y[n,h,w,c] = scale[c] * x[n,h,w,c] + offset[c]
 *     dx[n,h,w,c] = low < y[n,h,w,c] && y[n,h,w,c] <= high ? da[n,h,w,c] : 0
 *     sums[group][0][c] = sum of dx over the group's pixels, sums[group][1][c] = sum of dx * (x - mean), float64
 *
 * A group is `imagesPerUnit` images; a unit is 16 input channels of a group. `dx` may be 0, then `sums` is not written;
 * `dw` may be 0.
 */
export function f32DepthwiseBackward(
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, w: usize,
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, dx: usize, sums: usize, dw: usize, scratch: usize,
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
      const isFirst = image == group * imagesPerUnit;
      // What an earlier image left in the lanes that stay empty now may not count.
      if (images < s.images) clear(s);
      for (let c = first * BLOCK; c < endChannel; c += s.panels * 8) {
        const q = c * M;
        const inputs = min(s.panels, (endChannel - c) >> 3);
        const outputs = min(inputs * M, (Q - q) >> 3);
        for (let oh = 0; oh < OH; oh++) {
          touchRow(dy, image, images, oh + 1, OH, OW, Q, q, outputs);
          touchRow(z, image, images, oh + 1, OH, OW, Q, q, outputs);
          packGradientRow(s, dy, z, c1, c2, c3, image, images, oh, q, outputs);
        }
        if (dw != 0) {
          for (let ih = 0; ih < H; ih++) {
            touchRow(x, image, images, ih + 1, H, W, C, c, inputs);
            packInputRow(s, x, scale, offset, low, high, image, images, ih, c, inputs, outputs);
          }
          const filter = dw + (<usize>(group * KH * KW * Q + q) << 2);
          if (isFirst) clearFilterGradient(s, filter, outputs);
          addFilterGradient(s, filter, outputs);
        }
        if (dx != 0) {
          packWeights(s, w, q, outputs);
          const channel = <usize>c << 2;
          convolveBack(
            s, x + channel, scale + channel, offset + channel, mean + channel, low, high, dx + channel,
            image, images, inputs, outputs,
          );
          storeSums(s, sums + (<usize>(group * C * 2 + c) << 3), inputs, isFirst);
        }
      }
    }
    unit += end - first;
  }
}

/** Packs row `oh` of dz, for the panels from channel q on. */
function packGradientRow(
  s: Planes, dy: usize, z: usize, c1: usize, c2: usize, c3: usize,
  image: i32, images: i32, oh: i32, q: i32, outputs: i32,
): void {
  const pixelBytes = <usize>s.Q << 2;
  const channel = <usize>q << 2;
  const from = <usize>((image * s.OH + oh) * s.OW) * pixelBytes + channel;
  const to = s.gradients + <usize>oh * s.gradientRowBytes + <usize>s.reach * s.columnBytes;
  for (let panel: usize = 0; panel < <usize>outputs; panel++) {
    const at = panel * LANE;
    formGradientLanes(
      dy + from + at, z + from + at, to + panel * s.gradientPlaneBytes,
      s.OW, pixelBytes, s.columnBytes, images, <usize>(s.OH * s.OW) * pixelBytes, LANE,
      c1 + channel + at, c2 + channel + at, c3 + channel + at,
    );
  }
}

/** `to = c1 * dy + c2 * z + c3` on a grid of lanes. */
function formGradientLanes(
  dy: usize, z: usize, to: usize, outer: i32, outerFrom: usize, outerTo: usize, inner: i32, innerFrom: usize,
  innerTo: usize, c1: usize, c2: usize, c3: usize,
): void {
  if (outer > inner) {
    formGradientLanes(dy, z, to, inner, innerFrom, innerTo, outer, outerFrom, outerTo, c1, c2, c3);
    return;
  }
  const c10 = v128.load(c1);
  const c11 = v128.load(c1, 16);
  const c20 = v128.load(c2);
  const c21 = v128.load(c2, 16);
  const c30 = v128.load(c3);
  const c31 = v128.load(c3, 16);
  const zOffset = z - dy;
  for (; outer > 0; outer--, dy += outerFrom, to += outerTo) {
    let source = dy;
    let lane = to;
    for (let i = inner; i > 0; i--, source += innerFrom, lane += innerTo) {
      const other = source + zOffset;
      v128.store(lane, multiplyAdd(v128.load(source), c10, multiplyAdd(v128.load(other), c20, c30)));
      v128.store(lane, multiplyAdd(v128.load(source, 16), c11, multiplyAdd(v128.load(other, 16), c21, c31)), 16);
    }
  }
}

/** From dz to dx, row by row of the picture, with the sums in `s.records`; pointers stand at the first channel. */
function convolveBack(
  s: Planes, x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, dx: usize,
  image: i32, images: i32, inputs: i32, outputs: i32,
): void {
  const pixelBytes = <usize>s.C << 2;
  const imageBytes = <usize>(s.H * s.W) * pixelBytes;
  memory.fill(s.records, 0, <usize>inputs * RECORD_BYTES);
  for (let ih = 0; ih < s.H; ih++) {
    touchRow(dx, image, images, ih, s.H, s.W, s.C, 0, inputs);
    convolveRowBack(s, ih, outputs);
    if (s.M > 1) foldChannels(s, inputs, outputs);
    const row = <usize>((image * s.H + ih) * s.W) * pixelBytes;
    for (let residue = 0; residue < s.strideW; residue++) {
      const iw = firstColumn(s, residue);
      const from = s.results + <usize>(residue * s.columns + (iw + s.padLeft) / s.strideW) * s.columnBytes;
      for (let panel: usize = 0; panel < <usize>inputs; panel++) {
        const at = panel * LANE;
        const pixel = row + <usize>iw * pixelBytes + at;
        maskLanes(
          from + panel * s.rowBytes, x + pixel, dx + pixel,
          columnsFrom(s, iw), s.columnBytes, <usize>s.strideW * pixelBytes, images, LANE, imageBytes,
          scale + at, offset + at, mean + at, low, high, s.records + panel * RECORD_BYTES,
        );
      }
    }
  }
}

/** Row `ih` of the input's gradient into `s.results`: gathered, for each residue from the taps that reach it. */
function convolveRowBack(s: Planes, ih: i32, outputs: i32): void {
  const filterBytes = <usize>(s.KH * s.KW) * LANE;
  const padded = (ih + s.padTop) / s.strideH;
  const firstKh = ih + s.padTop - padded * s.strideH;
  const skipped = max(0, padded - s.OH + 1);
  const rows = max(0, min(padded + 1, (s.KH - firstKh + s.strideH - 1) / s.strideH) - skipped);
  const kh = firstKh + skipped * s.strideH;
  const row = s.gradients + <usize>(padded - skipped) * s.gradientRowBytes;
  for (let panel: usize = 0; panel < <usize>outputs; panel++) {
    // In this order: what a tile spills past its end, the next residue or panel overwrites.
    for (let residue = 0; residue < s.strideW; residue++) {
      const iw = firstColumn(s, residue);
      const column = (iw + s.padLeft) / s.strideW;
      convolveLanes(
        row + panel * s.gradientPlaneBytes + <usize>(s.reach + column) * s.columnBytes, -s.gradientRowBytes, s.backTaps,
        s.weights + panel * filterBytes + <usize>(kh * s.KW + residue) * LANE,
        <usize>(s.strideH * s.KW) * LANE, <usize>s.strideW * LANE,
        rows, max(0, (s.KW - residue + s.strideW - 1) / s.strideW),
        s.results + panel * s.rowBytes + <usize>(residue * s.columns + column) * s.columnBytes,
        columnsFrom(s, iw) * s.images,
      );
    }
  }
}

/** Adds up each input channel's M shares, in place: what is overwritten has been read. */
function foldChannels(s: Planes, inputs: i32, outputs: i32): void {
  for (let c = 0; c < 8 * inputs; c++) {
    const to = s.results + <usize>(c >> 3) * s.rowBytes + (<usize>(c & 7) << 2);
    const end = min((c + 1) * s.M, 8 * outputs);
    for (let at: usize = 0; at < s.rowBytes; at += LANE) {
      let sum: f32 = 0;
      for (let q = c * s.M; q < end; q++) {
        sum += load<f32>(s.results + <usize>(q >> 3) * s.rowBytes + (<usize>(q & 7) << 2) + at);
      }
      store<f32>(to + at, sum);
    }
  }
}

/** Writes a grid of lanes of dx, masked, and adds to the sums of `record`. */
function maskLanes(
  from: usize, x: usize, dx: usize, outer: i32, outerFrom: usize, outerTo: usize, inner: i32, innerFrom: usize,
  innerTo: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, record: usize,
): void {
  if (outer > inner) {
    maskLanes(
      from, x, dx, inner, innerFrom, innerTo, outer, outerFrom, outerTo, scale, offset, mean, low, high, record,
    );
    return;
  }
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const scale0 = v128.load(scale);
  const scale1 = v128.load(scale, 16);
  const offset0 = v128.load(offset);
  const offset1 = v128.load(offset, 16);
  const mean0 = v128.load(mean);
  const mean1 = v128.load(mean, 16);
  let sum0 = v128.load(record);
  let sum1 = v128.load(record, 16);
  let product0 = v128.load(record, 32);
  let product1 = v128.load(record, 48);
  const dxOffset = dx - x;
  for (; outer > 0; outer--, from += outerFrom, x += outerTo) {
    let lane = from;
    let pixel = x;
    for (let i = inner; i > 0; i--, lane += innerFrom, pixel += innerTo) {
      const to = pixel + dxOffset;
      const x0 = v128.load(pixel);
      const d0 = v128.and(v128.load(lane), passes(multiplyAdd(x0, scale0, offset0), lows, highs));
      v128.store(to, d0);
      sum0 = f32x4.add(sum0, d0);
      product0 = multiplyAdd(d0, f32x4.sub(x0, mean0), product0);
      const x1 = v128.load(pixel, 16);
      const d1 = v128.and(v128.load(lane, 16), passes(multiplyAdd(x1, scale1, offset1), lows, highs));
      v128.store(to, d1, 16);
      sum1 = f32x4.add(sum1, d1);
      product1 = multiplyAdd(d1, f32x4.sub(x1, mean1), product1);
    }
  }
  v128.store(record, sum0);
  v128.store(record, sum1, 16);
  v128.store(record, product0, 32);
  v128.store(record, product1, 48);
}

/** Adds the sums in `s.records` to the group's. */
function storeSums(s: Planes, sums: usize, panels: i32, isFirst: bool): void {
  const products = sums + (<usize>s.C << 3);
  if (isFirst) {
    memory.fill(sums, 0, <usize>panels << 6);
    memory.fill(products, 0, <usize>panels << 6);
  }
  let record = s.records;
  for (let at: usize = 0, end = <usize>panels << 6; at < end; at += 64, record += RECORD_BYTES) {
    addToDoubles(sums + at, v128.load(record));
    addToDoubles(sums + at + 32, v128.load(record, 16));
    addToDoubles(products + at, v128.load(record, 32));
    addToDoubles(products + at + 32, v128.load(record, 48));
  }
}
