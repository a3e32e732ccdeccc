import type { ConvStage, ConvWindow, DepthwiseStage, FeatureSize, Stage, StageGraph, UnsupportedLayer } from './stage';
import { noZeros, type Placement, placeWindow, type Sliding } from './window';

/** Why a stage cannot be resized: the end of a sentence that begins with its layer. */
type Unsupported = Omit<UnsupportedLayer, 'className'>;

/**
 * The same net, with the same weights, on pictures of another size; or the first layer that is in the way.
 *
 * A window that lies where the padding `same` puts it does so at the new size too. Any other keeps its zeros: as many
 * before the picture, and behind it as many again where the old size does not say otherwise. The graph does not tell zeros
 * of their own from those of `same` where both have the same place, as `padding: 'keras'` has on even sizes; they then count as `same`.
 */
export function resizeGraph(
  graph: StageGraph,
  { height, width }: Pick<FeatureSize, 'height' | 'width'>,
): { graph: StageGraph } | { unsupported: Unsupported } {
  const input = { ...graph.input, height, width };
  const stages: Stage[] = [];
  let size: FeatureSize = input;
  for (const stage of graph.stages) {
    const resized = resizeStage(graph, stage, size);
    if (typeof resized === 'string') return { unsupported: { layerName: stage.name, reason: resized } };
    stages.push(resized);
    size = resized.output;
  }
  return { graph: { ...graph, input, stages } };
}

function resizeStage(graph: StageGraph, stage: Stage, input: FeatureSize): Stage | string {
  const { output } = stage;
  if (stage.kind === 'dropout') return { ...stage, input, output: input };
  if (stage.kind === 'pool') return { ...stage, input };
  if (seesWholePicture(graph, stage)) {
    const isSame = input.height === stage.input.height && input.width === stage.input.width;
    return isSame ? stage : `has a kernel for ${sizeOf(stage.input)} pixels, not for ${sizeOf(input)}`;
  }
  const { window, height, width } = replaceWindow(stage, input);
  if (height < 1 || width < 1) return `has a window that does not fit into ${sizeOf(input)} pixels`;
  return { ...stage, input, window, output: { ...output, height, width } };
}

const sizeOf = ({ height, width }: FeatureSize) => `${height} x ${width}`;

/** Whether it is a dense layer, whose kernel is not `[KH,KW,C,F]`. */
function seesWholePicture({ weights }: StageGraph, stage: ConvStage | DepthwiseStage): boolean {
  if (stage.kind !== 'conv') return false;
  const { shape } = weights[stage.kernel.index]!;
  const { kernelHeight, kernelWidth } = stage.window;
  return shape.length !== 4 || shape[0] !== kernelHeight || shape[1] !== kernelWidth;
}

function replaceWindow(stage: ConvStage | DepthwiseStage, input: FeatureSize): Placement {
  const { window } = stage;
  const sliding = {
    kernelSize: [window.kernelHeight, window.kernelWidth],
    strides: [window.strideHeight, window.strideWidth],
  } as const;
  if (isAsPlaced(stage, placeWindow(stage.input, { ...sliding, padding: 'same' }, noZeros))) {
    return placeWindow(input, { ...sliding, padding: 'same' }, noZeros);
  }
  const [top, left] = [window.padTop, window.padLeft];
  const rows = [stage.input.height, stage.output.height] as const;
  const columns = [stage.input.width, stage.output.width] as const;
  const zeros = {
    top,
    left,
    bottom: zerosBehind(sliding, 0, top, rows),
    right: zerosBehind(sliding, 1, left, columns),
  };
  return placeWindow(input, { ...sliding, padding: 'valid' }, zeros);
}

function isAsPlaced({ window, output }: { window: ConvWindow; output: FeatureSize }, placement: Placement): boolean {
  const { padTop, padLeft } = placement.window;
  const isHere = padTop === window.padTop && padLeft === window.padLeft;
  return isHere && placement.height === output.height && placement.width === output.width;
}

/** As many zeros as before the picture, as far as they make so many places and no more. */
function zerosBehind(
  { kernelSize, strides }: Omit<Sliding, 'padding'>,
  axis: 0 | 1,
  before: number,
  [size, places]: readonly [size: number, places: number],
): number {
  const least = (places - 1) * strides[axis] + kernelSize[axis] - size - before;
  const most = least + strides[axis] - 1;
  return Math.max(0, Math.min(Math.max(before, least), most));
}
