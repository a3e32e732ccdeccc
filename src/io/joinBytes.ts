/**
 * The parts one behind the other.
 *
 * tfjs 4.22 takes weights in several buffers, but reads zeros where the last buffer is longer than the others and those
 * are all of one length (its CompositeArrayBuffer divides by that length); so it only ever gets one buffer from us.
 */
export function joinBytes(parts: readonly (ArrayBuffer | Uint8Array)[]): ArrayBuffer {
  const joined = new Uint8Array(parts.reduce((total, { byteLength }) => total + byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part instanceof Uint8Array ? part : new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return joined.buffer;
}
