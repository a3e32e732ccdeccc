import { refuse } from '../../io/refuse';
import type { Decoded } from './decodeTensor';
import { sizeOf } from './permute';

/** The operands of a DequantizeLinear. */
export interface Quantized {
  /** Of the node, for messages. */
  readonly name: string;
  readonly levels: Decoded;
  /** One for the whole tensor, or one for each place along the axis; `zeros` likewise. */
  readonly scales: ArrayLike<number>;
  readonly zeros: ArrayLike<number>;
  /** Counted from the end where it is below 0. */
  readonly axis: number;
}

/** `(level - zero) * scale`, as float32. */
export function dequantize({ name, levels, scales, zeros, axis }: Quantized, where: string): Decoded {
  const { shape, data } = levels;
  const channels = scales.length === 1 ? 1 : shape.at(axis);
  if (scales.length !== channels || ![1, channels].includes(zeros.length)) {
    const expected = `${name} to have one scale and zero point, or one for each of ${channels} channels`;
    refuse(where, expected, `${scales.length} and ${zeros.length}`);
  }
  const step = sizeOf(shape.slice(axis < 0 ? shape.length + axis + 1 : axis + 1));
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const channel = channels === 1 ? 0 : Math.floor(i / step) % channels;
    values[i] = (data[i]! - zeros[zeros.length === 1 ? 0 : channel]!) * scales[channel]!;
  }
  return { shape, data: values };
}
