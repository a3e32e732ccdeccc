// The generator of golden.py, bit by bit: no weights need to be stored.

/** A float32 value of each place of a weight, in float64. */
export function initialWeight(name: string, shape: readonly number[]): Float64Array {
  const kind = name.split('/')[1]!;
  const [height = 1, width = 1, channels = 1] = shape;
  const fanIn = height * width * (kind === 'depthwise_kernel' ? 1 : channels);
  const draw = (uniform: number) => {
    if (kind === 'gamma' || kind === 'moving_variance') return 1 + uniform / 2;
    return kind.includes('kernel') ? uniform * Math.sqrt(6 / fanIn) : uniform / 4;
  };
  const size = shape.reduce((product, length) => product * length, 1);
  // Uniform in [-1, 1), 24 bits of it, which float32 holds exactly.
  return Float64Array.from(hashes(name, size), (hash) => Math.fround(draw((hash >>> 8) / 2 ** 23 - 1)));
}

/** Bytes, 0 to 255. */
export function bytesOf(name: string, count: number): Uint8Array {
  return Uint8Array.from(hashes(name, count), (hash) => hash >>> 24);
}

/** Class indices. */
export function labelsOf(name: string, count: number, classes: number): Int32Array {
  return Int32Array.from(hashes(name, count), (hash) => hash % classes);
}

/** `count` 32-bit integers: MurmurHash3's finaliser over FNV-1a of the name plus the place. */
function hashes(name: string, count: number): Uint32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Uint32Array.from({ length: count }, (_, place) => {
    let h = (seed + place) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  });
}
