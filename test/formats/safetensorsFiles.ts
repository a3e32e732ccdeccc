export type Bytes = Uint8Array<ArrayBuffer>;

/** The header of a safetensors file. */
export function headerOf(file: Bytes): unknown {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
}

/** A file of a header and values, right or wrong. */
export function withHeader(header: unknown, values: Uint8Array): Bytes {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(values, 8 + json.length);
  return bytes;
}
