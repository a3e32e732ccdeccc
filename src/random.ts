/** A seeded stream of random numbers; see {@link createRandom}. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of it. */
  uniform(): number;
  /** Uniform integer in [0, bound), bound at most 2^32. */
  integer(bound: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
}

/**
 * A seeded generator: the same seed gives the same numbers on every platform.
 *
 * SFC32 by Chris Doty-Humphrey (PractRand): 128 bits of state, integer arithmetic only. Extra `stream` numbers give
 * independent streams from one seed (an epoch, a layer), so that nothing needs to be drawn in a fixed order.
 */
export function createRandom(seed: number, ...stream: number[]): Random {
  let a = mix(seed ^ 0x9e3779b9);
  let b = mix(Math.floor(seed / 0x1_0000_0000) ^ 0x243f6a88);
  let c = stream.reduce((hash, value) => mix(hash ^ mix(value)), 0xb7e15162);
  let counter = 1;
  const next = () => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  const uniform = () => next() / 0x1_0000_0000;
  return {
    uniform,
    integer(bound) {
      // Draws past the largest multiple of `bound` are thrown away, so that every integer is equally likely.
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
      let draw = next();
      while (draw >= limit) draw = next();
      return draw % bound;
    },
    normal() {
      // Box and Muller; 1 - u keeps the logarithm's argument above 0.
      return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    },
  };
}

/** Shuffles in place (Fisher and Yates) and returns the same array. */
export function shuffleInPlace<T extends { [index: number]: number; length: number }>(values: T, random: Random): T {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const swap = values[i]!;
    values[i] = values[j]!;
    values[j] = swap;
  }
  return values;
}

/** The finaliser of MurmurHash3: spreads the bits of a 32-bit integer. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
