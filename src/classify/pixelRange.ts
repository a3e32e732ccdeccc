import { fail } from '../errors';
import { inSlices } from '../platform/eventLoop';

/** What resizing in float32 may add to 0 or 255. */
const ROUNDING = 0.01;

/** Numbers looked at between two looks at the clock. */
const BLOCK = 1 << 14;

/** Throws `invalid-argument` unless all numbers are from 0 to 255, give or take what float32 resizing adds. */
export async function checkPixelRange(data: ArrayLike<number>, where: string, signal?: AbortSignal): Promise<void> {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let hasNaN = false;
  const look = (block: number) => {
    const end = Math.min(data.length, (block + 1) * BLOCK);
    for (let i = block * BLOCK; i < end; i++) {
      const value = data[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
      hasNaN ||= Number.isNaN(value);
    }
  };
  await inSlices(Math.ceil(data.length / BLOCK), look, signal);
  if (!hasNaN && low >= -ROUNDING && high <= 255 + ROUNDING) return;
  fail({
    code: 'invalid-argument',
    where,
    expected: 'pixels from 0 to 255',
    received: hasNaN ? 'NaN' : `numbers from ${low} to ${high}`,
    remedy: remedyFor(low, high, hasNaN),
  });
}

function remedyFor(low: number, high: number, hasNaN: boolean): string {
  if (hasNaN) return 'Look for a division by zero where the pixels are made.';
  if (low >= -1 - ROUNDING && high <= 1 + ROUNDING)
    return 'Map [-1, 1] back: (x + 1) * 127.5; the model is told its range by inputRange.';
  return 'Scale the numbers to 0 to 255, as they come from a picture; the model is told its range by inputRange.';
}
