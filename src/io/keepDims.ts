import { isObject } from './checkArtifacts';
import { refuse } from './refuse';
import { type CalledLayer, chainCalls, type Json, type LayerCall, readTensors } from './topologyCalls';

/**
 * The layers with a Reshape behind each global pooling that keeps its axes of size 1 (`keepdims`), which tfjs's own does
 * not; and what stands in the place of a tensor of theirs.
 *
 * @throws {MobilenetError} `invalid-data` where nothing tells how many channels such a pooling has.
 */
export function keepDims(
  where: string,
  layers: readonly CalledLayer[],
): { layers: CalledLayer[]; redirect: (tensors: LayerCall) => LayerCall } {
  const channels = channelsOf(where, layers);
  const reshapes = new Map(
    layers.flatMap(({ name, class_name: kind, config }) => {
      const axes = keptAxes(kind, config);
      return axes === 0 ? [] : [[name, reshapeLayer(where, name, axes, channels.get(name))] as const];
    }),
  );
  const redirect = (tensors: LayerCall): LayerCall =>
    tensors.map(([layer, ...rest]) => [reshapes.get(layer)?.name ?? layer, ...rest]);
  const connected = layers.flatMap((layer): CalledLayer[] => {
    const reshape = reshapes.get(layer.name);
    const called = { ...layer, inbound_nodes: layer.inbound_nodes.map(redirect) };
    const reads = layer.inbound_nodes.map((_, call): LayerCall => [[layer.name, call, 0, {}]]);
    return reshape ? [called, { ...reshape, inbound_nodes: reads }] : [called];
  });
  return { layers: connected, redirect };
}

/** How many axes of size 1 a layer's output should have, and in tfjs has not. */
function keptAxes(kind: unknown, config: unknown): number {
  const match = typeof kind === 'string' && /^Global(?:Average|Max)Pooling([12])D$/.exec(kind);
  return match && isObject(config) && config.keepdims === true ? Number(match[1]) : 0;
}

function reshapeLayer(where: string, pooling: string, axes: number, channels: number | undefined) {
  if (channels === undefined) refuse(where, `the channels of ${pooling}, whose keepdims is set`, 'no layer that tells');
  const name = `${pooling}_keepdims`;
  const target = [...Array<number>(axes).fill(1), channels];
  return { class_name: 'Reshape', name, config: { name, trainable: true, dtype: 'float32', target_shape: target } };
}

/** The last axis of each layer's output, as far as layers before it in the list tell. */
function channelsOf(where: string, layers: readonly CalledLayer[]): Map<string, number | undefined> {
  const channels = new Map<string, number | undefined>();
  for (const layer of layers) {
    const inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => channels.get(name));
    channels.set(layer.name, outputChannels(where, layer, inputs));
  }
  return channels;
}

/** The setting that tells a layer's output channels, by its class. */
const SETTINGS = new Map<unknown, string>([
  ['Conv1D', 'filters'],
  ['Conv2D', 'filters'],
  ['Conv2DTranspose', 'filters'],
  ['SeparableConv2D', 'filters'],
  ['Dense', 'units'],
]);

type Channels = number | undefined;

function outputChannels(where: string, { class_name: kind, config }: Json, inputs: readonly Channels[]): Channels {
  if (!isObject(config)) return Array.isArray(config) ? chainChannels(where, config) : undefined;
  const setting = SETTINGS.get(kind);
  if (setting !== undefined) return sizeOf(config[setting]);
  const [input] = inputs;
  switch (kind) {
    case 'Sequential':
      return Array.isArray(config.layers) ? chainChannels(where, config.layers) : undefined;
    case 'Functional':
    case 'Model':
      return Array.isArray(config.layers) ? graphChannels(where, config.layers, config.output_layers) : undefined;
    case 'Reshape':
      return lastOf(config.target_shape);
    case 'DepthwiseConv2D':
      return input && sizeOf(input * Number(config.depth_multiplier ?? 1));
    case 'Concatenate':
      return inputs.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
    case 'Flatten':
    case 'Permute':
      return undefined;
    default:
      return input ?? lastOf(config.batch_input_shape);
  }
}

/** Of a Sequential model inside. */
function chainChannels(where: string, layers: readonly Json[]): Channels {
  return [...channelsOf(where, chainCalls(where, layers)).values()].at(-1);
}

/** Of a functional model inside, which is normal already. */
function graphChannels(where: string, layers: readonly CalledLayer[], outputs: unknown): Channels {
  const [output] = readTensors(where, outputs);
  return output && channelsOf(where, layers).get(output[0]);
}

function lastOf(shape: unknown): Channels {
  return Array.isArray(shape) ? sizeOf(shape.at(-1)) : undefined;
}

function sizeOf(value: unknown): Channels {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
