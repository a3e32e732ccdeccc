import { mobilenetV1Rows } from '../../model/architecture';
import { isRelu6 } from '../activation';
import type { ModelUnit } from '../fitUnit';
import { isClassifier } from '../heads';

/** What timm calls the convolution of each unit and the batch norm behind it; the classifier, the last one, has none. */
export type TimmNames = readonly [kernel: string, norm: string | undefined];

/** In the order of the network. A stage of timm's begins with the first block, and with each one that has a stride. */
export function timmNames(): TimmNames[] {
  const names: TimmNames[] = [['conv_stem', 'bn1']];
  let [stage, block] = [0, -1];
  for (const { kind, strides } of mobilenetV1Rows) {
    if (kind === 'conv') continue;
    [stage, block] = strides > 1 ? [stage + 1, 0] : [stage, block + 1];
    const path = `blocks.${stage}.${block}`;
    names.push([`${path}.conv_dw`, `${path}.bn1`], [`${path}.conv_pw`, `${path}.bn2`]);
  }
  return [...names, ['classifier', undefined]];
}

/** Why the units are not those of a MobileNetV1 as timm has it; undefined where they are. */
export function notMobilenetV1(units: readonly ModelUnit[]): string | undefined {
  const names = timmNames();
  const body = names.length - 1;
  if (units.length < body || units.length > names.length)
    return `${units.length} kernels, not ${body} and a classifier`;
  const wrong = units.find((unit, i) => {
    const { kernel, norm } = unit;
    // A dense layer of more inputs than there are channels reads several pixels.
    const channels = units[i - 1]?.kernel?.kernel.shape.at(-1);
    if (i === body) return !isClassifier(unit) || unit.kernel.kernel.shape.at(-2) !== channels;
    const kind = names[i]![0].endsWith('conv_dw') ? 'depthwise' : 'conv';
    return kernel?.kind !== kind || kernel.bias !== undefined || !norm?.isFoldable || !isRelu6(norm.activation);
  });
  return wrong && `layer '${wrong.kernel?.name ?? wrong.norm?.name}', where timm has another one`;
}
