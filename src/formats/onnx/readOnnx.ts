import { type PaddingStyle, paddingStyles } from '../../model/architecture';
import { type FileMetadata, readMetadata } from '../fileMetadata';
import { loadPackage } from '../loadPackage';
import type { NetworkWeights, WeightFile } from '../networkWeights';
import { paddingStyleOf } from '../paddingStyle';
import { Constants } from './constants';
import { decodeModel } from './decodeModel';
import { Network } from './network';
import { readChain } from './readChain';
import { readInputRange } from './readInputRange';
import { readNode } from './readNode';
import type { OnnxModel } from './schema';

/**
 * The weights of an ONNX file whose network is a chain, as a MobileNetV1 is: our own, those of PyTorch's exporters, with
 * batch norms or with these folded into the convolutions, and those of tf2onnx. float16 and quantised weights (between
 * QuantizeLinear and DequantizeLinear) become float32.
 *
 * @throws {MobilenetError} `invalid-data`, for weights in another file too; `missing-backend` where the package `pbf` is
 * missing
 */
export async function readOnnx({ bytes, where }: WeightFile): Promise<NetworkWeights> {
  const pbf = await loadPackage(where, 'pbf', () => import('pbf'));
  const model = decodeModel(pbf, bytes, where);
  const constants = new Constants(model.graph, bytes.length, where);
  const { input, nodes } = readChain(model.graph, constants, where);
  // PyTorch has nothing like 'same'; what it pads is what its layers say.
  const padsApart = model.producerName.toLowerCase() === 'pytorch';
  const network = new Network({ where, constants, dims: input.dims, padsApart });
  for (const node of nodes) readNode(network, node);
  network.endAffine();
  return {
    format: 'onnx',
    where,
    layers: network.layers,
    padding: ownPadding(model) ?? paddingStyleOf(network.windows),
    ...readOwnMetadata(model),
    inputRange: readInputRange(model, input, network),
  };
}

/** Files of ours have every entry as JSON; what is none was written by others, and left out. */
function readOwnMetadata({ metadata }: OnnxModel): FileMetadata {
  return readMetadata(Object.fromEntries([...metadata].map(([key, text]) => [key, parseJson(text)])));
}

function ownPadding({ metadata }: OnnxModel): PaddingStyle | undefined {
  const padding = parseJson(metadata.get('padding') ?? 'null');
  return paddingStyles.find((style) => style === padding);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
