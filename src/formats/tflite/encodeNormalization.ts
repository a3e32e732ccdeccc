import type { Builder } from 'flatbuffers';
import { type InputRange, isPerChannel } from '../../inputRange';
import { FlatWriter } from './flatWriter';
import {
  ContentField,
  IMAGE_PROPERTIES,
  ImagePropertiesField,
  METADATA_IDENTIFIER,
  ModelMetadataField,
  NORMALIZATION_OPTIONS,
  NormalizationField,
  ProcessUnitField,
  SubGraphMetadataField,
  TensorMetadataField,
} from './schema';

/** TFLite Metadata of a model whose pictures are normalised: `(byte - mean) / std`. */
export interface NormalizationPlan {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly inputRange: InputRange;
  /** Of a picture. */
  readonly channels: number;
}

/** Of the newest field that is written. */
const PARSER_VERSION = '1.0.0';
const COLOUR_SPACES = new Map([
  [3, 1],
  [1, 2],
]);

/** A picture as input, and how it is normalised; the library that Android apps read models with goes by it. */
export function encodeNormalization(builder: Builder, plan: NormalizationPlan): Uint8Array<ArrayBuffer> {
  const writer = new FlatWriter(builder);
  const { inputRange, channels } = plan;
  const ranges = isPerChannel(inputRange) ? inputRange : [inputRange];
  // low = -mean / std, and high = (255 - mean) / std.
  const stds = ranges.map(([low, high]) => 255 / (high - low));
  const means = ranges.map(([low], c) => (0 - low) * stds[c]!);
  const normalization = writer.table([
    [NormalizationField.mean, 'offset', writer.float32s(means)],
    [NormalizationField.std, 'offset', writer.float32s(stds)],
  ]);
  const unit = writer.table([
    [ProcessUnitField.optionsType, 'int8', NORMALIZATION_OPTIONS],
    [ProcessUnitField.options, 'offset', normalization],
  ]);
  const properties = writer.table([[ImagePropertiesField.colorSpace, 'int8', COLOUR_SPACES.get(channels) ?? 0]]);
  const content = writer.table([
    [ContentField.propertiesType, 'int8', IMAGE_PROPERTIES],
    [ContentField.properties, 'offset', properties],
  ]);
  const input = writer.table([
    [TensorMetadataField.name, 'offset', writer.text(plan.input)],
    [TensorMetadataField.content, 'offset', content],
    [TensorMetadataField.processUnits, 'offset', writer.offsets([unit])],
  ]);
  const output = writer.table([[TensorMetadataField.name, 'offset', writer.text(plan.output)]]);
  const graph = writer.table([
    [SubGraphMetadataField.inputs, 'offset', writer.offsets([input])],
    [SubGraphMetadataField.outputs, 'offset', writer.offsets([output])],
  ]);
  const model = writer.table([
    [ModelMetadataField.name, 'offset', writer.text(plan.name)],
    [ModelMetadataField.subgraphs, 'offset', writer.offsets([graph])],
    [ModelMetadataField.minParserVersion, 'offset', writer.text(PARSER_VERSION)],
  ]);
  builder.finish(model, METADATA_IDENTIFIER);
  return builder.asUint8Array().slice();
}
