import type { FeatureSize } from '../../graph/stage';
import { channelRange } from '../../inputRange';
import type { GraphBuilder } from './graphBuilder';
import { ELEMENT } from './schema';
import type { OnnxSettings } from './settings';
import { floatTensor } from './tensorContent';

/** Writes how the input becomes the float32 picture `[N,C,H,W]` that the network reads; gives that value's name. */
export function writePicture(
  graph: GraphBuilder,
  input: string,
  { channels }: FeatureSize,
  {
    inputLayout,
    embedPreprocessing,
    inputRange,
  }: Pick<OnnxSettings, 'inputLayout' | 'embedPreprocessing' | 'inputRange'>,
): string {
  const planes =
    inputLayout === 'NHWC' ? graph.add('Transpose', [input], 'to_nchw', { perm: { ints: [0, 3, 1, 2] } }) : input;
  if (!embedPreprocessing) return planes;
  const ranges = Array.from({ length: channels }, (_, c) => channelRange(inputRange, c));
  const perChannel = (name: string, values: number[]) =>
    graph.weight(name, floatTensor('float32', values, [channels, 1, 1]));
  const scales = perChannel(
    'preprocessing/scale',
    ranges.map(([low, high]) => (high - low) / 255),
  );
  const offsets = perChannel(
    'preprocessing/offset',
    ranges.map(([low]) => low),
  );
  const bytes = graph.add('Cast', [planes], 'preprocessing/cast', { to: { int: ELEMENT.float32 } });
  const scaled = graph.add('Mul', [bytes, scales], 'preprocessing/mul');
  return graph.add('Add', [scaled, offsets], 'preprocessing/add');
}
