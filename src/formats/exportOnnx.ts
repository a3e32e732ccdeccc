import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { checkCalibration } from '../data/calibration';
import type { ImageDataset } from '../data/imageDataset';
import { check, checkOptions } from '../errors';
import type { StageGraph } from '../graph/stage';
import { checkInputRange } from '../inputRange';
import { checkModel } from '../model/checkModel';
import { getModelMetadata } from '../model/metadata';
import { checkOneOf } from '../model/options';
import { exportedStages } from './exportedStages';
import type { OnnxSettings } from './onnx/settings';

/** Options for {@link exportOnnx}. */
export interface ExportOnnxOptions {
  /** Whether the file takes any number of pictures at a time; else it takes one. @default true */
  dynamicBatch?: boolean | undefined;
  /**
   * How pictures come in: channel behind channel in every pixel, or channel after channel. Feature maps come out likewise.
   * @default 'NHWC'
   */
  inputLayout?: 'NHWC' | 'NCHW' | undefined;
  /** Version of ONNX's operators, 13 to 22. @default 17, which runtimes of the last years know */
  opset?: number | undefined;
  /**
   * Whether the file takes bytes, uint8 from 0 to 255, and maps them to the model's input range itself: the one of its
   * metadata, else [0, 1]. Pictures must have the model's size in either case.
   * @default false: float32 in the input range
   */
  embedPreprocessing?: boolean | undefined;
  /**
   * What the network's numbers are; input and output are float32 in any case.
   *
   * - `'float32'`: the model's own weights, bit for bit, batch norms as such.
   * - `'float16'`: half the size; batch norms are folded into the convolutions, as they are for `'int8'`.
   * - `'int8'`: a quarter of the size; weights int8 with a scale for each channel, activations uint8, as QuantizeLinear and
   *   DequantizeLinear, for models that `createClassifier` runs in `'int8'`.
   *
   * @default 'float32'
   */
  precision?: 'float32' | 'float16' | 'int8' | undefined;
  /**
   * Pictures by which `'int8'` finds out how high activations rise; some 500 of them are taken, and their labels are not
   * read. @default what the layers say: ReLU6 goes up to 6
   */
  calibration?: ImageDataset | undefined;
}

const WHERE = 'exportOnnx';

const ONNX_OPTIONS = {
  dynamicBatch: 'boolean',
  inputLayout: 'any',
  opset: 'any',
  embedPreprocessing: 'boolean',
  precision: 'any',
  calibration: 'any',
} as const;

const OPSETS = [13, 22] as const;

/**
 * The model as an ONNX file, for onnxruntime and all other tools that read ONNX.
 *
 * Takes any chain of layers that the library's own engine can express. Pictures `[N,H,W,C]` (or `[N,C,H,W]`) to
 * `[N,classes]`, probabilities or logits as the model has them; input, output and weights have the model's names. A model
 * without a top gives `[N,C]` or its feature map. The file's metadata hold that of the model (`classNames`,
 * `inputRange`, ...), each entry as JSON. The model is not changed.
 *
 * Outputs are within 1e-4 of the model's in `'float32'`.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, or for a layer that cannot be expressed, named
 * in the message; `missing-backend`, also where the package `pbf` is missing
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 *
 * await writeFile('model.onnx', await exportOnnx(model, { inputLayout: 'NCHW' }));
 * ```
 */
export async function exportOnnx(
  model: LayersModel,
  options: ExportOnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkModel(WHERE, model);
  checkOptions(WHERE, options, ONNX_OPTIONS);
  const settings = resolveOptions(model, options);
  const graph = exportedStages(WHERE, 'ONNX', model);
  checkOutput(model, graph);
  checkInputRange(WHERE, settings.inputRange, graph.input.channels);
  await backendReady(WHERE);
  const { writeOnnx } = await import('./onnx/writeOnnx');
  return writeOnnx(model, graph, settings);
}

function resolveOptions(model: LayersModel, options: ExportOnnxOptions): OnnxSettings {
  const { dynamicBatch = true, inputLayout = 'NHWC', opset = 17, embedPreprocessing = false } = options;
  const { precision = 'float32', calibration } = options;
  checkOneOf(WHERE, 'inputLayout', inputLayout, ['NHWC', 'NCHW']);
  checkOneOf(WHERE, 'precision', precision, ['float32', 'float16', 'int8']);
  const [oldest, newest] = OPSETS;
  check(Number.isInteger(opset) && opset >= oldest && opset <= newest, {
    where: WHERE,
    expected: `opset to be an integer from ${oldest} to ${newest}`,
    received: opset,
  });
  checkCalibration(WHERE, precision, calibration);
  const { inputRange = [0, 1] } = getModelMetadata(model);
  return { dynamicBatch, inputLayout, opset, embedPreprocessing, precision, calibration, inputRange };
}

/** The stages forget shapes; the output must be a vector, or a feature map as the last stage makes it. */
function checkOutput({ outputs }: LayersModel, { stages }: StageGraph): void {
  const { height, width, channels } = stages.at(-1)!.output;
  const shape = outputs[0]!.shape.slice(1);
  const isMap = shape.length === 3 && [height, width, channels].every((size, axis) => size === shape[axis]);
  check(shape.length === 1 || isMap, {
    where: WHERE,
    expected: `an output [N,classes] or [N,${height},${width},${channels}]`,
    received: `[N,${shape}] of layer '${outputs[0]!.sourceLayer.name}'`,
    remedy: 'Flatten it.',
  });
}
