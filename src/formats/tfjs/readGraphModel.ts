import type { InputRange } from '../../inputRange';
import { isObject } from '../../io/checkArtifacts';
import { parseJson, readManifest } from '../../io/readModelFiles';
import { checkChain } from '../checkChain';
import { imagenetRange } from '../imagenetRange';
import type { NetworkWeights, WeightFile } from '../networkWeights';
import { toInputRange, WIDEST_RANGE } from '../preparedRange';
import { addNode } from './addNode';
import { GraphConstants } from './graphConstants';
import { GraphLayers, type Preparation } from './graphLayers';
import { type GraphNode, readNodes } from './graphNodes';
import { graphPath } from './graphPath';
import { GraphWindows } from './graphWindows';
import { filesOf } from './siblings';

/** Of pictures whose size a graph leaves open: ImageNet's. */
const USUAL_SIZE = 224;

/**
 * Reads a tfjs graph model that is a chain of convolutions, such as MobileNetV1: fused nodes or single ones, batch norms
 * folded or not, quantised weights.
 *
 * @param onProgress Called with the fraction of shards that have been read, 0 to 1.
 * @throws {MobilenetError} `invalid-data`, and what reading the shards throws
 */
export async function readGraphModel(
  file: WeightFile,
  onProgress?: (fraction: number) => void,
): Promise<NetworkWeights> {
  const { where } = file;
  const json = parseJson(where, file.bytes);
  const nodes = readNodes(where, json.modelTopology);
  const path = graphPath(where, nodes);
  const manifest = await readManifest(filesOf(file), json.weightsManifest, onProgress);
  const graph = {
    where,
    constants: new GraphConstants(where, nodes, manifest),
    layers: new GraphLayers(where),
    windows: new GraphWindows(where, sizeOf(path[0])),
  };
  for (const node of path) addNode(graph, node);
  const { layers, preparation } = graph.layers;
  checkChain(where, layers);
  const inputRange = rangeOf(preparation) ?? imagenetRange(layers);
  return { format: 'tfjs-graph', where, layers, padding: graph.windows.style(), inputRange };
}

/** Height and width of `[n,H,W,C]`, where the placeholder says them. */
function sizeOf(placeholder: GraphNode | undefined): { height: number; width: number } {
  const value = placeholder?.attributes.shape;
  const shape = isObject(value) && isObject(value.shape) ? value.shape.dim : undefined;
  const [, height, width] = Array.isArray(shape)
    ? shape.map((dim) => Number(isObject(dim) ? dim.size : undefined))
    : [];
  return { height: height && height > 0 ? height : USUAL_SIZE, width: width && width > 0 ? width : USUAL_SIZE };
}

/** What a graph makes of bytes, or of values 0 to 1, before its first kernel; undefined where that is nothing. */
function rangeOf({ scale, offset }: Preparation): InputRange | undefined {
  const from = scale.every((factor) => Math.abs(255 * factor) <= WIDEST_RANGE) ? 255 : 1;
  const ranges = Array.from({ length: Math.max(scale.length, offset.length) }, (_, c) => {
    const low = offset[offset.length === 1 ? 0 : c]!;
    return [low, low + from * scale[scale.length === 1 ? 0 : c]!] as const;
  });
  if (ranges.every(([low, high]) => low === 0 && high === 1)) return undefined;
  return toInputRange(ranges);
}
