/*
 * What we need of TFLite's file format: numbers of fields, operators and types.
 *
 * Source: tensorflow/compiler/mlir/lite/schema/schema.fbs of tensorflow/tensorflow, version 3c; a table's fields count from
 * 0 in the order in which they stand there, and a union counts as two, its type first.
 */

export const FILE_IDENTIFIER = 'TFL3';
export const SCHEMA_VERSION = 3;

export const ModelField = {
  version: 0,
  operatorCodes: 1,
  subgraphs: 2,
  description: 3,
  buffers: 4,
  metadata: 6,
  signatureDefs: 7,
} as const;

export const OperatorCodeField = { deprecatedBuiltinCode: 0, customCode: 1, version: 2, builtinCode: 3 } as const;
export const SubGraphField = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 } as const;
export const BufferField = { data: 0, offset: 1, size: 2 } as const;
export const MetadataField = { name: 0, buffer: 1 } as const;
export const SignatureField = { inputs: 0, outputs: 1, key: 2 } as const;
export const TensorMapField = { name: 0, tensorIndex: 1 } as const;

export const TensorField = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  sparsity: 6,
  externalBuffer: 10,
} as const;

export const QuantizationField = { scale: 2, zeroPoint: 3, detailsType: 4, dimension: 6 } as const;
export const OperatorField = { opcodeIndex: 0, inputs: 1, outputs: 2, optionsType: 3, options: 4 } as const;

export const ConvField = { padding: 0, strideW: 1, strideH: 2, activation: 3, dilationW: 4, dilationH: 5 } as const;

export const DepthwiseField = {
  padding: 0,
  strideW: 1,
  strideH: 2,
  depthMultiplier: 3,
  activation: 4,
  dilationW: 5,
  dilationH: 6,
} as const;

export const DenseField = { activation: 0, weightsFormat: 1 } as const;
/** Of ADD, SUB, MUL and DIV. */
export const ArithmeticField = { activation: 0 } as const;
export const ReducerField = { keepDims: 0 } as const;
export const SoftmaxField = { beta: 0 } as const;

export const Padding = { same: 0, valid: 1 } as const;
export const Activation = { none: 0, relu: 1, relu6: 3 } as const;

export const TensorType = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  int16: 7,
  int8: 9,
} as const;

/** BuiltinOperator: those that a MobileNetV1 may be made of. */
export const Op = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  SOFTMAX: 25,
  CUSTOM: 32,
  PAD: 34,
  MEAN: 40,
  SUB: 41,
  DIV: 42,
  SQUEEZE: 43,
  CAST: 53,
  MAXIMUM: 55,
  MINIMUM: 57,
  PADV2: 60,
  EXPAND_DIMS: 70,
  SHAPE: 77,
  QUANTIZE: 114,
} as const;

/** The types of the union BuiltinOptions. */
export const OptionsType = {
  conv: 1,
  depthwise: 2,
  dense: 8,
  softmax: 9,
  add: 11,
  reshape: 17,
  mul: 21,
  pad: 22,
  reducer: 27,
  sub: 28,
  div: 29,
  dequantize: 38,
  maximumMinimum: 39,
} as const;

/*
 * TFLite Metadata, a FlatBuffer of its own inside of a metadata entry: how the input is normalised.
 *
 * Source: tensorflow_lite_support/metadata/metadata_schema.fbs of tensorflow/tflite-support, version 1.1.0.
 */

export const METADATA_ENTRY = 'TFLITE_METADATA';
export const METADATA_IDENTIFIER = 'M001';

export const ModelMetadataField = { name: 0, subgraphs: 3, minParserVersion: 7 } as const;
export const SubGraphMetadataField = { inputs: 2, outputs: 3 } as const;
export const TensorMetadataField = { name: 0, content: 3, processUnits: 4 } as const;
export const ContentField = { propertiesType: 0, properties: 1 } as const;
export const ImagePropertiesField = { colorSpace: 0 } as const;
export const ProcessUnitField = { optionsType: 0, options: 1 } as const;
export const NormalizationField = { mean: 0, std: 1 } as const;

/** Of the unions ProcessUnitOptions and ContentProperties. */
export const NORMALIZATION_OPTIONS = 1;
export const IMAGE_PROPERTIES = 2;
