import { model as createModel, input, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { frozenLayers, type Layer, layerChain } from './layerChain';

/** A model in two parts that share its layers and weights. */
export interface SplitModel {
  /** What training does not change, from pictures to features `[n,h,w,C]`. */
  readonly features: LayersModel;
  /** What is trained, from the features to the model's outputs. */
  readonly head: LayersModel;
  /** The last layer of `features` that is the model's. */
  readonly boundary: string;
  /** Gives the layers back, so that the model is as it was; without it the weights outlive the model. */
  dispose(): void;
}

/**
 * Splits a model behind its longest beginning that gives the same features for the same picture throughout a training:
 * layers that are frozen or have no weights, and do nothing random.
 *
 * Features that are no map come as `[n,1,1,C]`. Undefined where the model is no chain, the beginning has no weights or an
 * open size, nothing is left to train, layers of nested models share a name, or a nested model would have to be
 * cut that is frozen as a whole.
 */
export function splitFrozen(model: LayersModel): SplitModel | undefined {
  const chain = layerChain(model);
  if ('unsupported' in chain) return undefined;
  const { layers: members } = chain;
  // Those of nested models may share names, which tfjs refuses side by side.
  if (new Set(members.map(({ name }) => name)).size < members.length) return undefined;
  const shapes = outputShapes(model, members);
  const frozen = frozenLayers(model);
  const end = boundaryOf(members.slice(0, frozenCount(frozen, members)), shapes);
  const shape = shapes[end];
  const hasWeights = members.slice(0, end).some((layer) => layer.weights.length > 0);
  if (!hasWeights || end === members.length || !isKnown(shape)) return undefined;
  // What is frozen with the nested model around it, and behind something random, would not be frozen in the head.
  const thaws = (layer: Layer) => layer.weights.length > 0 && frozen.has(layer) && layer.trainable;
  if (members.slice(end).some(thaws)) return undefined;

  const isMap = shape.length === 3;
  const map = isMap ? shape : [1, 1, shape.reduce((product, size) => product * size, 1)];
  const toMap = isMap ? [] : [layers.reshape({ targetShape: map })];
  const fromMap = isMap ? [] : [layers.reshape({ targetShape: shape })];
  const pictures = input({ shape: shapes[0]!, dtype: model.inputs[0]!.dtype });
  const features = connect(`${model.name}_features`, pictures, [...members.slice(0, end), ...toMap]);
  const head = connect(`${model.name}_head`, input({ shape: map }), [...fromMap, ...members.slice(end)]);
  return {
    features: features.model,
    head: head.model,
    boundary: members[end - 1]!.name,
    dispose() {
      features.dispose();
      head.dispose();
    },
  };
}

/** `[h,w,C]` or another shape of one picture's values; null where a size is open. */
type Shape = (number | null)[];

/** The first shape is the input's, the next one the output's of the first layer. */
function outputShapes({ inputs }: LayersModel, members: readonly Layer[]): Shape[] {
  const shapes: Shape[] = [inputs[0]!.shape];
  for (const layer of members) shapes.push(layer.computeOutputShape(shapes.at(-1)!) as Shape);
  return shapes.map((shape) => shape.slice(1));
}

/** How many layers at the beginning give the same values throughout a training. */
function frozenCount(frozen: ReadonlySet<Layer>, members: readonly Layer[]): number {
  // A batch norm without gamma and beta learns, too, as long as it is not frozen: its moving averages.
  const isConstant = (layer: Layer) => (frozen.has(layer) || layer.weights.length === 0) && isSteady(layer);
  const count = members.findIndex((layer) => !isConstant(layer));
  return count < 0 ? members.length : count;
}

/** Leaves to the head what makes the features larger at the end, without weights: zero padding, for instance. */
function boundaryOf(frozen: readonly Layer[], shapes: readonly Shape[]): number {
  const values = (shape: Shape) => shape.reduce<number>((product, size) => product * (size ?? 1), 1);
  const grows = (layer: Layer, i: number) => layer.weights.length === 0 && values(shapes[i + 1]!) > values(shapes[i]!);
  return frozen.findLastIndex((layer, i) => !grows(layer, i)) + 1;
}

/** Whether the layer does the same in training as otherwise; of one that is not tfjs's own that is not known. */
function isSteady(layer: Layer): boolean {
  const className = layer.getClassName();
  const isOwn = Object.keys(layers).some((name) => name.toLowerCase() === className.toLowerCase());
  if (!isOwn || Object.hasOwn(layer, 'call')) return false;
  if (!/Dropout|GaussianNoise|^Random/.test(className)) return true;
  const rate = layer.getConfig().rate as number | undefined;
  // tfjs drops nothing at a rate of 1, either.
  return rate !== undefined && (rate <= 0 || rate >= 1);
}

function isKnown(shape: Shape | undefined): shape is number[] {
  return shape?.every((size) => size !== null) ?? false;
}

/** A model of these layers, until it is disposed of. */
function connect(name: string, inputs: SymbolicTensor, members: readonly Layer[]) {
  const outputs = members.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, inputs);
  const nodes = members.map((layer) => layer.inboundNodes.at(-1)!);
  const connected = createModel({ inputs, outputs, name });
  return {
    model: connected,
    dispose() {
      // tfjs counts for each layer the models that have it, but keeps their nodes, which make `layer.output` ambiguous.
      connected.dispose();
      members.forEach((layer, i) => {
        if (layer.inboundNodes.at(-1) === nodes[i]) layer.inboundNodes.pop();
        if (layer.outboundNodes.at(-1) === nodes[i + 1]) layer.outboundNodes.pop();
      });
    },
  };
}
