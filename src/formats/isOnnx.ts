/** The fields of ONNX's ModelProto, and their protobuf wire types: 0 is a varint, 2 has its length before it. */
const MODEL_FIELDS = new Map([
  [1, 0], // ir_version
  [2, 2], // producer_name
  [3, 2], // producer_version
  [4, 2], // domain
  [5, 0], // model_version
  [6, 2], // doc_string
  [7, 2], // graph
  [8, 2], // opset_import
  [14, 2], // metadata_props
  [20, 2], // training_info
  [25, 2], // functions
  [26, 2], // configuration
]);
const GRAPH = 7;

/** Whether the bytes are a whole protobuf message with the fields of an ONNX model; protobuf has no signature. */
export function isOnnx(bytes: Uint8Array): boolean {
  let hasGraph = false;
  let at = 0;
  while (at < bytes.length) {
    const tag = varint(bytes, at);
    const field = tag && tag.value >>> 3;
    if (!tag || !field || MODEL_FIELDS.get(field) !== (tag.value & 7)) return false;
    const value = varint(bytes, tag.end);
    if (!value) return false;
    at = (tag.value & 7) === 2 ? value.end + value.value : value.end;
    if (field === GRAPH) hasGraph = true;
  }
  return hasGraph && at === bytes.length;
}

/** A number in groups of 7 bits, the lowest first; what does not fit a double is rounded. */
function varint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
