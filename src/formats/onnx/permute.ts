/**
 * The values of a tensor with its axes in another order: axis i of the result is axis `order[i]` of `shape`.
 *
 * @param shape of at most four axes, row-major
 */
export function permute<Values extends Float32Array | Int8Array>(
  data: Values,
  shape: readonly number[],
  order: readonly number[],
): Values {
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const missing = Array.from({ length: 4 - shape.length }, () => undefined);
  const [n0 = 1, n1 = 1, n2 = 1, n3 = 1] = [...missing, ...order.map((axis) => shape[axis])];
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = [...missing, ...order.map((axis) => steps[axis])];
  const permuted = data.slice() as Values;
  let at = 0;
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        const from = i0 * s0 + i1 * s1 + i2 * s2;
        for (let i3 = 0; i3 < n3; i3++) permuted[at++] = data[from + i3 * s3]!;
      }
    }
  }
  return permuted;
}

/** How many values a tensor of this shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[KH,KW,C,F]` to ONNX's `[F,C,KH,KW]`. */
export const HWIO_TO_OIHW = [3, 2, 0, 1] as const;

/** `[F,C,KH,KW]` to `[KH,KW,C,F]`. */
export const OIHW_TO_HWIO = [2, 3, 1, 0] as const;
