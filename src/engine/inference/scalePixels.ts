import { roundHalfEven } from '../../graph/roundHalfEven';
import { pixelsOf } from '../memory';
import type { InferencePlan } from './plan';
import { type InferenceContext, ownShare } from './runPass';

/** Puts the factors and shifts to their place in memory, where the channels that are padding have zeros. */
export function writeScaling(memory: WebAssembly.Memory, { scaling, input }: InferencePlan): void {
  const values = new Float64Array(memory.buffer, scaling.offset, 2 * input.channels).fill(0);
  values.set(scaling.factors);
  values.set(scaling.shifts, input.channels);
}

/** Makes this thread's share of the input of so many pictures, whose pixels lie in memory as they came. */
export function scalePixels(
  context: InferenceContext,
  memory: WebAssembly.Memory,
  images: number,
  isFloat: boolean,
): void {
  const { kernels, plan } = context;
  const { pixels, input, pictureChannels, scaling } = plan;
  const [begin, end] = ownShare(context, images * pixelsOf(input.size));
  const args = [pixels, input.offset, begin, end, pictureChannels, input.channels] as const;
  if (input.type === 'float32') {
    const pointers = [scaling.offset, scaling.offset + 8 * input.channels] as const;
    if (isFloat) kernels.f32ScaleFloats(...args, ...pointers);
    else kernels.f32ScaleBytes(...args, ...pointers);
    return;
  }
  const [factor, shift] = [scaling.factors[0]!, scaling.shifts[0]!];
  const isOneRange = scaling.factors.every((f) => f === factor) && scaling.shifts.every((s) => s === shift);
  if (isOneRange) kernels.i16FromPixels(...args, factor, shift, isFloat);
  else quantizePixels(plan, memory, isFloat, begin, end);
}

/** What `i16FromPixels` does, with a factor and a shift for each channel. */
function quantizePixels(
  { pixels, input, pictureChannels, scaling }: InferencePlan,
  memory: WebAssembly.Memory,
  isFloat: boolean,
  begin: number,
  end: number,
): void {
  const [from, to] = [pictureChannels, input.channels];
  const out = new Int16Array(memory.buffer, input.offset, end * to).fill(0, begin * to);
  const [bytes, floats] = [new Uint8Array(memory.buffer, pixels), new Float32Array(memory.buffer, pixels)];
  for (let c = 0; c < from; c++) {
    const [factor, shift] = [scaling.factors[c]!, scaling.shifts[c]!];
    const quantize = (value: number) => Math.min(Math.max(roundHalfEven(value * factor + shift), -32_768), 32_767);
    if (isFloat) {
      for (let p = begin; p < end; p++) out[p * to + c] = quantize(floats[p * from + c]!);
    } else {
      // 0.3 ms for 224 x 224 pixels, a fifth of what calculating each of them takes.
      const levels = Int16Array.from({ length: 256 }, (_, byte) => quantize(byte));
      for (let p = begin; p < end; p++) out[p * to + c] = levels[bytes[p * from + c]!]!;
    }
  }
}
