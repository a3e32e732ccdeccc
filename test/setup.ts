import { expect } from 'vitest';

/** Arrays of numbers with the same bits are equal: vitest looks at each number, 5 µs long. What differs it tells as ever. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) => (isView(a) && isView(b) && haveSameBits(a, b) ? true : undefined),
]);

const isView = (value: unknown): value is Uint8Array => ArrayBuffer.isView(value) && !(value instanceof DataView);

function haveSameBits(a: Uint8Array, b: Uint8Array): boolean {
  const [ours, theirs] = [a, b].map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));
  return a.constructor === b.constructor && ours!.equals(theirs!);
}
