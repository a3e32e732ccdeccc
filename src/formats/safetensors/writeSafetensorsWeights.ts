import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check } from '../../errors';
import { writeSafetensors } from '../../io/safetensors';
import { getModelMetadata } from '../../model/metadata';
import { paddingOf, padsAs } from '../checkPadding';
import { writeMetadata } from '../fileMetadata';
import { chainOf, type ModelBatchNorm, type ModelKernel, modelLayers } from '../modelLayers';
import { groupUnits } from '../units';
import { kerasTensors } from './kerasTensors';
import { ModelTensors } from './modelTensors';
import { writeOwnMetadata } from './ownMetadata';
import { timmCall } from './timmCall';
import { notMobilenetV1 } from './timmNames';
import { timmTensors } from './timmTensors';

const WHERE = 'exportSafetensors';

/** What {@link writeSafetensorsWeights} was asked for. */
export interface SafetensorsSettings {
  readonly layout: 'timm' | 'keras';
  readonly epsilon: number | undefined;
}

/** The file that `exportSafetensors` resolves with. */
export async function writeSafetensorsWeights(
  model: LayersModel,
  { layout, epsilon }: SafetensorsSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const chain = chainOf(WHERE, model);
  const layers = modelLayers(WHERE, chain);
  const units = groupUnits<ModelKernel, ModelBatchNorm>(layers);
  const difference = layout === 'timm' ? notMobilenetV1(units) : undefined;
  check(difference === undefined, {
    where: WHERE,
    expected: "a MobileNetV1 for the layout 'timm'",
    received: difference,
    remedy: "Take layout: 'keras', which has a place for any chain.",
  });
  const tensors = await ModelTensors.read(layers, epsilon);
  const epsilons = layers.flatMap((layer) => (layer.kind === 'batchNorm' ? [epsilon ?? layer.epsilon] : []));
  const stepsOfAll = (key: 'strides' | 'dilationRate') =>
    units.flatMap(({ kernel }) => (kernel ? [stepsOf(kernel, key)] : []));
  const [strides, dilations] = [stepsOfAll('strides'), stepsOfAll('dilationRate')];
  const isDilated = dilations.flat().some((rate) => rate !== 1);
  const steps = { strides, ...(isDilated && { dilations }) };
  const own = { epsilons, ...steps, padding: paddingOf(model, chain), ...writeMetadata(getModelMetadata(model)) };
  if (layout === 'keras') {
    const names = layers.map(({ name }) => name);
    return writeSafetensors(kerasTensors(WHERE, layers, tensors), writeOwnMetadata({ ...own, layers: names }));
  }
  const padding = (['torch', 'same'] as const).find((style) => padsAs(model, chain, style));
  const isOneEpsilon = new Set(epsilons).size === 1;
  // timm takes the mean.
  const isPooledOtherwise = chain.some((layer) => /MaxPooling2D$/.test(layer.getClassName()));
  const timm =
    padding && isOneEpsilon && !isPooledOtherwise && !isDilated ? timmCall(units, epsilons[0]!, padding) : undefined;
  // Hugging Face's tools ask whose layouts these are.
  const metadata = { format: 'pt', ...(timm !== undefined && { timm }), ...writeOwnMetadata(own) };
  return writeSafetensors(timmTensors(units, tensors), metadata);
}

function stepsOf({ kind, layer }: ModelKernel, key: 'strides' | 'dilationRate'): readonly number[] {
  return kind === 'dense' ? [1, 1] : (layer.getConfig()[key] as readonly number[]);
}
