import { refuse } from '../../io/refuse';
import { bytesPerValue, decodeValues, type SafetensorsValues } from '../../io/safetensorsValues';
import type { Values } from '../networkWeights';
import { Op, QuantizationField, TensorType } from './schema';
import type { TfliteFile, TfliteTensor } from './tfliteFile';

/** A value takes at least a byte. Tensors may share one; more than twice as often as not is no network, but an attack. */
const MAX_VALUES_PER_BYTE = 2;

/** The values of tensors that no input changes. */
export interface Constants {
  /** Of any type that weights are stored as; quantised ones become `scale * (value - zeroPoint)`. */
  floats(tensor: number): Values;
  /** Of int32 or int64, at most `most` of them. */
  integers(tensor: number, most: number): number[];
  has(tensor: number): boolean;
  /** Counts values that are made of others; refuses them where they are far more than the file could hold. */
  count(name: string, values: number): void;
}

type Dtype = SafetensorsValues['dtype'] | 'I16' | 'I8' | 'U8';

const dtypes = new Map<number, Dtype>([
  [TensorType.float32, 'F32'],
  [TensorType.float16, 'F16'],
  [TensorType.int32, 'I32'],
  [TensorType.int64, 'I64'],
  [TensorType.int16, 'I16'],
  [TensorType.int8, 'I8'],
  [TensorType.uint8, 'U8'],
]);

export function readConstants(file: TfliteFile): Constants {
  const { where } = file;
  const dequantized = new Map<number, number>();
  for (const { code, inputs, outputs } of file.operators) {
    if (code === Op.DEQUANTIZE) dequantized.set(outputs[0] ?? -1, inputs[0] ?? -1);
  }
  /** What a DEQUANTIZE makes of a constant, as float16 files have it, is one too. */
  const stored = (index: number): TfliteTensor => {
    const tensor = file.tensor(index);
    const source = dequantized.get(index);
    return tensor.data.length === 0 && source !== undefined ? file.tensor(source) : tensor;
  };

  let left = MAX_VALUES_PER_BYTE * file.length;
  const count = (name: string, values: number) => {
    if (values > left) refuse(where, `at most ${left} values in ${name}`, values, 'Its tensors share bytes too often.');
    left -= values;
  };
  return {
    count,
    has: (index) => index >= 0 && stored(index).data.length > 0,
    floats(index) {
      const tensor = stored(index);
      const { shape } = tensor;
      const values = decodeTensor(tensor, count, where);
      return { shape, data: values instanceof Float32Array ? values : dequantize(tensor, values, where) };
    },
    integers(index, most) {
      const tensor = stored(index);
      const values = decodeTensor(tensor, count, where);
      const isInteger = tensor.type === TensorType.int32 || tensor.type === TensorType.int64;
      if (isInteger && values.length <= most) return Array.from(values, Number);
      return refuse(where, `${tensor.name} to be at most ${most} integers`, `[${tensor.shape}] of type ${tensor.type}`);
    },
  };
}

type Stored = Float32Array | Int32Array | BigInt64Array | Int16Array | Int8Array | Uint8Array;

function decodeTensor({ name, shape, type, data }: TfliteTensor, count: Constants['count'], where: string): Stored {
  const dtype = dtypes.get(type);
  if (!dtype) {
    const expected = `${name} to be of float32, float16, int8, int16, uint8, int32 or int64`;
    refuse(where, expected, `type ${type} of TFLite's schema`, 'Convert the model anew, with weights of such a type.');
  }
  const values = shape.reduce((product, size) => product * size, 1);
  const size = bytesPerValue(dtype) ?? (dtype === 'I16' ? 2 : 1);
  if (shape.some((extent) => extent < 1) || values * size !== data.length) {
    refuse(where, `${name} [${shape}] to have ${values * size} bytes`, data.length);
  }
  count(name, values);
  // A copy, since a file's own bytes need not be aligned.
  const { buffer } = data.slice();
  switch (dtype) {
    case 'I16':
      return new Int16Array(buffer);
    case 'I8':
      return new Int8Array(buffer);
    case 'U8':
      return new Uint8Array(buffer);
    default:
      return decodeValues(dtype, buffer).data;
  }
}

/** One scale for the whole tensor, or one for each channel along an axis. */
function dequantize({ name, shape, quantization }: TfliteTensor, stored: Exclude<Stored, Float32Array>, where: string) {
  if (quantization?.uint8(QuantizationField.detailsType) !== 0) {
    refuse(where, `a scale for ${name}`, quantization ? 'a quantization of its own kind' : 'none');
  }
  const scales = quantization.float32s(QuantizationField.scale, stored.length);
  const zeroPoints = quantization.int64s(QuantizationField.zeroPoint, stored.length);
  const axis = quantization.int32(QuantizationField.dimension);
  const channels = scales.length > 1 ? shape[axis] : 1;
  if (scales.length !== channels || ![0, 1, channels].includes(zeroPoints.length)) {
    const received = `${scales.length} scales and ${zeroPoints.length} zero points`;
    refuse(where, `one scale and zero point for ${name}, or one for each channel of [${shape}]`, received);
  }
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const values = new Float32Array(stored.length);
  for (let i = 0; i < values.length; i++) {
    const channel = channels === 1 ? 0 : Math.floor(i / inner) % channels;
    const zeroPoint = zeroPoints[zeroPoints.length > 1 ? channel : 0] ?? 0;
    values[i] = scales[channel]! * (Number(stored[i]) - zeroPoint);
  }
  return values;
}
