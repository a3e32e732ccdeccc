import { type InputRange, isPerChannel } from '../../inputRange';
import { toInputRange, WIDEST_RANGE } from '../preparedRange';
import { FlatTable } from './flatTable';
import type { Network } from './network';
import {
  METADATA_ENTRY,
  METADATA_IDENTIFIER,
  ModelMetadataField,
  NORMALIZATION_OPTIONS,
  NormalizationField,
  ProcessUnitField,
  QuantizationField,
  SubGraphMetadataField,
  TensorMetadataField,
  TensorType,
} from './schema';
import type { TfliteFile } from './tfliteFile';

type Range = readonly [low: number, high: number];

const MAX_CHANNELS = 64;

/**
 * What bytes are mapped to before they enter the first layer; undefined where the file does not say it.
 *
 * A file of ours says it itself; others in TFLite Metadata, or by taking bytes. What the file does with pictures of its
 * own accord is a part of it: there, values of float32 are taken for bytes, unless the range would be too wide.
 *
 * @param own what a file of ours says
 */
export function readInputRange({ file, preparation }: Network, own: InputRange | undefined): InputRange | undefined {
  if (own) return isPerChannel(own) ? toInputRange(own) : own;
  const given = normalization(file) ?? quantization(file);
  if (!preparation) return given && toInputRange(given);

  const { scale, offset } = preparation;
  const from: readonly Range[] = given ?? [[0, 255]];
  const channels = Math.max(from.length, scale.length);
  const prepared = Array.from({ length: channels }, (_, c): Range => {
    const [low, high] = from[from.length === 1 ? 0 : c] ?? [Number.NaN, Number.NaN];
    const at = scale.length === 1 ? 0 : c;
    return [low * scale[at]! + offset[at]!, high * scale[at]! + offset[at]!];
  });
  const isLikely = given !== undefined || prepared.every(([low, high]) => high - low <= WIDEST_RANGE);
  return isLikely ? toInputRange(prepared) : undefined;
}

/** `(byte - mean) / std` of TFLite Metadata. */
function normalization({ metadata, where }: TfliteFile): Range[] | undefined {
  const bytes = metadata(METADATA_ENTRY);
  if (!bytes) return undefined;
  const graphs = FlatTable.root(bytes, METADATA_IDENTIFIER, where).tables(ModelMetadataField.subgraphs);
  const inputs = graphs.length > 0 ? graphs.at(0).tables(SubGraphMetadataField.inputs) : undefined;
  const units = inputs && inputs.length > 0 ? inputs.at(0).tables(TensorMetadataField.processUnits) : undefined;
  for (let i = 0; i < (units?.length ?? 0); i++) {
    const unit = units!.at(i);
    const options = unit.table(ProcessUnitField.options);
    if (!options || unit.uint8(ProcessUnitField.optionsType) !== NORMALIZATION_OPTIONS) continue;
    const means = options.float32s(NormalizationField.mean, MAX_CHANNELS);
    const stds = options.float32s(NormalizationField.std, MAX_CHANNELS);
    return means.map((mean, c): Range => {
      const std = stds[stds.length === 1 ? 0 : c] ?? Number.NaN;
      return [(0 - mean) / std, (255 - mean) / std];
    });
  }
  return undefined;
}

/** Of a file that takes bytes. */
function quantization(file: TfliteFile): Range[] | undefined {
  const { type, quantization } = file.tensor(file.input);
  if (type !== TensorType.uint8) return undefined;
  const [scale = 1] = quantization?.float32s(QuantizationField.scale, 1) ?? [];
  const [zeroPoint = 0] = quantization?.int64s(QuantizationField.zeroPoint, 1) ?? [];
  return [[scale * (0 - zeroPoint), scale * (255 - zeroPoint)]];
}
