/** What MUL, ADD, SUB and DIV by constants make of a value: `scale * x + offset`, each one number or one for each channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

export const identity: Affine = { scale: Float64Array.of(1), offset: Float64Array.of(0) };

/** `affine` and then `factor * y + term`; undefined where the numbers of channels differ. */
export function compose(
  { scale, offset }: Affine,
  factor: ArrayLike<number>,
  term: ArrayLike<number>,
): Affine | undefined {
  const channels = Math.max(scale.length, factor.length, term.length);
  if (![scale, factor, term].every(({ length }) => length === 1 || length === channels)) return undefined;
  const of = (values: ArrayLike<number>, c: number) => values[values.length === 1 ? 0 : c]!;
  const each = (value: (c: number) => number) => Float64Array.from({ length: channels }, (_, c) => value(c));
  return {
    scale: each((c) => of(scale, c) * of(factor, c)),
    offset: each((c) => of(offset, c) * of(factor, c) + of(term, c)),
  };
}

/** The numbers spread over `channels`. */
export function spread(values: Float64Array, channels: number): Float32Array {
  return values.length === channels ? Float32Array.from(values) : new Float32Array(channels).fill(values[0]!);
}
