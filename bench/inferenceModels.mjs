// Which models the inference benches run, and on which pictures: both from seeds, so that nothing has to be downloaded.

/** What is timed for each model; a batch size of 1 gives the latency, a larger one the throughput. */
export const MODELS = {
  'alpha1-224': { alpha: 1, size: 224, classes: 1000, batchSizes: [1, 32] },
  'alpha0.25-224': { alpha: 0.25, size: 224, classes: 1000, batchSizes: [1, 32] },
  'alpha1-32': { alpha: 1, size: 32, classes: 10, batchSizes: [128] },
};

/** @typedef {keyof typeof MODELS} ModelName */

export const modelNames = /** @type {ModelName[]} */ (Object.keys(MODELS));

/** What bytes are mapped to before they enter a model. */
export const INPUT_RANGE = /** @type {const} */ ([-1, 1]);
/** Pictures whose probabilities are compared between runtimes; larger batches repeat them. */
export const PICTURES = 8;
/**
 * Bytes `[PICTURES,size,size,3]`: each picture has its own tint, waves and level of detail, and a little noise.
 *
 * @param {number} size
 */
export function makePictures(size) {
  const next = generator(3);
  const bytes = new Uint8Array(PICTURES * size * size * 3);
  for (let picture = 0; picture < PICTURES; picture++) {
    const waves = Array.from({ length: 9 }, () => Array.from({ length: 3 }, next));
    const tint = Array.from({ length: 3 }, () => 40 + 176 * next());
    const detail = 2 ** (2 + 5 * next());
    for (let i = 0; i < size * size * 3; i++) {
      const channel = i % 3;
      const x = (Math.floor(i / 3) % size) / size;
      const y = Math.floor(i / (3 * size)) / size;
      let value = Number(tint[channel]) + 20 * (next() - 0.5);
      for (const [u = 0, v = 0, phase = 0] of waves.slice(3 * channel, 3 * channel + 3)) {
        value += 40 * Math.sin(detail * ((u - 0.5) * x + (v - 0.5) * y) + 6.28 * phase);
      }
      bytes[picture * size * size * 3 + i] = Math.max(0, Math.min(255, value));
    }
  }
  return bytes;
}

/** Bytes as the models take them. */
export function toFloats(/** @type {Uint8Array} */ bytes) {
  const [low, high] = INPUT_RANGE;
  return Float32Array.from(bytes, (byte) => low + (byte / 255) * (high - low));
}

/** Numbers from 0 to below 1 (mulberry32). */
export function generator(/** @type {number} */ seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
