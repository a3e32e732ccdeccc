import type { ImageBatch } from '../data/imageDataset';
import { check, fail } from '../errors';
import { resizeGraph } from '../graph/resizeGraph';
import type { FeatureSize, StageGraph } from '../graph/stage';

/** Of pictures, in pixels. */
export type PictureSize = Pick<FeatureSize, 'height' | 'width'>;

const WHERE = 'The engine';

/** The net at its own size, and at each of the others. */
export function graphsOfSizes(
  graph: StageGraph,
  sizes: readonly PictureSize[] = [],
): readonly [StageGraph, ...StageGraph[]] {
  const { height, width } = graph.input;
  const graphs: [StageGraph, ...StageGraph[]] = [graph];
  for (const size of sizes) {
    check(size.height <= height && size.width <= width, {
      where: WHERE,
      expected: `sizes of pictures of at most ${height} x ${width}, the model's own`,
      received: `${size.height} x ${size.width}`,
    });
    if (indexOf(graphs, size) !== -1) continue;
    const resized = resizeGraph(graph, size);
    if ('graph' in resized) graphs.push(resized.graph);
    else {
      const { layerName, reason } = resized.unsupported;
      fail({
        code: 'engine-failed',
        where: WHERE,
        expected: `a model that can take pictures of ${size.height} x ${size.width}`,
        received: `layer '${layerName}', which ${reason}`,
        remedy: 'A model can where a global pooling stands before its dense layers.',
      });
    }
  }
  return graphs;
}

/** Which of the graphs is for this batch; the kernels trust what they are given. */
export function sizeIndex(
  graphs: readonly StageGraph[],
  batch: ImageBatch<Uint8Array | Float32Array>,
  batchSize: number,
): number {
  const { height, width, channels, labels, images } = batch;
  const index = indexOf(graphs, batch);
  check(index !== -1 && channels === graphs[0]!.input.channels, {
    where: WHERE,
    expected: `pictures of ${graphs.map(({ input }) => `${input.height} x ${input.width} x ${input.channels}`).join(' or ')}`,
    received: `${height} x ${width} x ${channels}`,
  });
  const values = labels.length * height * width * channels;
  check(labels.length >= 1 && labels.length <= batchSize && images.length === values, {
    where: WHERE,
    expected: `1 to ${batchSize} pictures, and ${values} values of ${labels.length}`,
    received: `${images.length} values of ${labels.length}`,
  });
  return index;
}

function indexOf(graphs: readonly StageGraph[], { height, width }: PictureSize): number {
  return graphs.findIndex(({ input }) => input.height === height && input.width === width);
}
