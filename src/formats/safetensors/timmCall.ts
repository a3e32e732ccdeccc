import type { Layer } from '../../graph/layerChain';
import { KERNEL_SIZE, mobilenetV1Rows } from '../../model/architecture';
import type { ModelUnit } from '../fitUnit';

/** The functions of timm 1.0 for widths of their own; others go through the one behind them. */
const FUNCTIONS = new Map([
  [1, "timm.create_model('mobilenetv1_100'"],
  [1.25, "timm.create_model('mobilenetv1_125'"],
]);

const DEFAULT_EPSILON = 1e-5;

/** What a network pads as, of the two ways that timm has. */
export type TimmPadding = 'same' | 'torch';

/**
 * Python that makes the network with timm; undefined where that has none such: widths that it rounds in another way, a
 * depth multiplier, other strides than the table's.
 *
 * @param units those of a MobileNetV1, with a classifier or without
 */
export function timmCall(units: readonly ModelUnit[], epsilon: number, padding: TimmPadding): string | undefined {
  const kernels = units.flatMap(({ kernel }) => kernel ?? []);
  const width = kernels[2 * mobilenetV1Rows.length - 2]!.kernel.shape[3]! / mobilenetV1Rows.at(-1)!.filters;
  const isTimms = mobilenetV1Rows.every(({ kind, filters, strides }, row) => {
    const pointwise = kernels[2 * row]!.kernel.shape;
    if (pointwise[3] !== roundChannels(filters * width)) return false;
    if (kind === 'conv') return pointwise[0] === KERNEL_SIZE && pointwise[1] === KERNEL_SIZE;
    const { kernel, layer } = kernels[2 * row - 1]!;
    const [height, width_, , multiplier] = kernel.shape;
    const isThree = height === KERNEL_SIZE && width_ === KERNEL_SIZE;
    return isThree && multiplier === 1 && stridesOf(layer).every((stride) => stride === strides);
  });
  if (!isTimms) return undefined;
  const [stem, classifier] = [kernels[0]!, kernels[2 * mobilenetV1Rows.length - 1]];
  const channels = stem.kernel.shape[2];
  const settings = [
    FUNCTIONS.get(width) ?? `timm.models.efficientnet._gen_mobilenet_v1('mobilenetv1_100', ${width}`,
    `num_classes=${classifier?.kernel.shape.at(-1) ?? 0}`,
    ...(channels === 3 ? [] : [`in_chans=${channels}`]),
    ...(epsilon === DEFAULT_EPSILON ? [] : [`bn_eps=${epsilon}`]),
    ...(padding === 'same' ? ["pad_type='same'"] : []),
  ];
  const strides = stridesOf(stem.layer);
  const isUsual = strides.every((stride) => stride === mobilenetV1Rows[0]!.strides);
  return `model = ${settings.join(', ')})${isUsual ? '' : `; model.conv_stem.stride = (${strides.join(', ')})`}`;
}

function stridesOf(layer: Layer): readonly number[] {
  return layer.getConfig().strides as readonly number[];
}

/** timm's rule: the nearest multiple of 8, or the next where that is a tenth too small. */
function roundChannels(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
