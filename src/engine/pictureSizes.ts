import type { ImageBatch } from '../data/imageDataset';
import { check } from '../errors';
import type { StageGraph } from '../graph/stage';

const WHERE = 'The engine';

/** Which of the graphs is for this batch; the kernels trust what they are given. */
export function sizeIndex(
  graphs: readonly StageGraph[],
  batch: ImageBatch<Uint8Array | Float32Array>,
  batchSize: number,
): number {
  const { height, width, channels, labels, images } = batch;
  const index = graphs.findIndex(({ input }) => input.height === height && input.width === width);
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
