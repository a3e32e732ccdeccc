import type { FeatureSize } from '../../graph/stage';
import { pixelsOf } from '../memory';

export type ValueType = 'float32' | 'uint8' | 'int16';

export const BYTES_PER_VALUE: Record<ValueType, number> = { float32: 4, uint8: 1, int16: 2 };

/** Values between two passes, `[images,H,W,channels]`. */
export interface TensorPlan {
  readonly type: ValueType;
  readonly size: FeatureSize;
  /** Padded. */
  readonly channels: number;
  /** What a stored number is multiplied with to give the real one. */
  readonly scale: number;
  readonly offset: number;
}

/** Rows behind the last one that a product may read, and drop. */
export const OVERHANG_ROWS = 3;

/** Bytes of one picture. */
export function tensorBytes({ type, size, channels }: TensorPlan): number {
  return BYTES_PER_VALUE[type] * channels * pixelsOf(size);
}

/** Bytes of `images` pictures, and of what a product may read behind them. */
export function bufferBytes(tensor: TensorPlan, images: number): number {
  return images * tensorBytes(tensor) + OVERHANG_ROWS * BYTES_PER_VALUE[tensor.type] * tensor.channels;
}
