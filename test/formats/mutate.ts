import { MobilenetError } from '../../src/errors';
import { createRandom, type Random } from '../../src/random';

type Bytes = Uint8Array<ArrayBuffer>;

/** A damaged copy of a file: bits flipped, bytes replaced, cut short, a part repeated or moved. */
export function mutateBytes(file: Bytes, random: Random): Bytes {
  const bytes = file.slice();
  const at = random.integer(bytes.length);
  switch (random.integer(6)) {
    case 0:
      bytes[at]! ^= 1 << random.integer(8);
      return bytes;
    case 1:
      for (let i = 0; i < 8; i++) bytes[random.integer(bytes.length)] = random.integer(256);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random.integer(bytes.length))]);
    case 4:
      // Large numbers in the place of lengths and offsets.
      return bytes.fill(0xff, at, at + 1 + random.integer(8));
    default:
      return bytes.fill(0, at, at + 1 + random.integer(8));
  }
}

/** Reads `count` damaged copies; resolves with how many were refused, and throws where one did anything else than that or be read. */
export async function fuzz(
  file: Bytes,
  read: (bytes: Bytes) => unknown,
  { count, seed, mutate = mutateBytes }: { count: number; seed: number; mutate?: typeof mutateBytes },
): Promise<number> {
  let refused = 0;
  for (let run = 0; run < count; run++) {
    const bytes = mutate(file, createRandom(seed, run));
    try {
      await read(bytes);
    } catch (error) {
      if (!(error instanceof MobilenetError)) throw new Error(`seed ${seed}, run ${run}: ${error}`, { cause: error });
      refused++;
    }
  }
  return refused;
}
