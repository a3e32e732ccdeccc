import { decodeValues } from '../../../io/safetensorsValues';
import type { Values } from '../../networkWeights';
import { Cursor, refuseHdf5 } from './cursor';
import { countValues, type Datatype, readDataspace, readDatatype } from './datatype';
import type { Hdf5Bytes } from './hdf5Bytes';
import { type Message, messageTypes } from './objectHeader';

/** The floats of a dataset, as float32. Undefined where the messages are not those of a dataset. */
export function readDataset(file: Hdf5Bytes, messages: readonly Message[], name: string): Values | undefined {
  const find = (wanted: number) => {
    const found = messages.find(({ type }) => type === wanted);
    return found && new Cursor(file.where, found.bytes);
  };
  const dataspace = find(messageTypes.dataspace);
  const datatype = find(messageTypes.datatype);
  const layout = find(messageTypes.layout);
  if (!dataspace || !datatype || !layout) return undefined;

  const shape = readDataspace(dataspace);
  const type = readDatatype(datatype);
  const bytes = storedBytes(file, layout, name);
  const count = countValues(file.where, shape, bytes.length / type.size);
  return { shape, data: decodeFloats(file.where, name, type.kind, bytes.slice(0, count * type.size).buffer) };
}

/** Where the values lie: in the header itself, or in one piece somewhere. */
function storedBytes(file: Hdf5Bytes, layout: Cursor, name: string): Uint8Array<ArrayBuffer> {
  const version = layout.u8();
  const kind = layout.u8();
  if ((version === 3 || version === 4) && kind === 0) return layout.take(layout.u16());
  if ((version === 3 || version === 4) && kind === 1) {
    const address = layout.u64();
    const length = layout.u64();
    return length === 0 ? new Uint8Array(0) : file.part(address, length).take(length);
  }
  refuseHdf5(file.where, `${name} to be stored in one piece, as Keras does`, 'chunks, or a compressed dataset');
}

function decodeFloats(where: string, name: string, kind: Datatype['kind'], buffer: ArrayBuffer): Float32Array {
  switch (kind) {
    case 'float16':
      return decodeValues('F16', buffer).data as Float32Array;
    case 'bfloat16':
      return decodeValues('BF16', buffer).data as Float32Array;
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return Float32Array.from(new Float64Array(buffer));
    default:
      return refuseHdf5(where, `${name} to be of float32, float64, float16 or bfloat16`, 'another type');
  }
}
