import type { LayersModel } from '@tensorflow/tfjs-layers';
import { fail } from '../errors';
import type { Layer } from '../graph/layerChain';
import { noZeros, placeWindow } from '../graph/window';
import { type BlockKind, type PaddingStyle, paddingStyles, windowPadding } from '../model/architecture';

/** For models that leave the size of their pictures open: that of ImageNet's. */
const USUAL_SIZE = 224;

/**
 * Throws `invalid-argument` where a convolution with a stride reads other pixels than the one that the weights were
 * trained in. Zeros are compared, and not names: on even maps `'same'` and `'keras'` are one.
 */
export function checkPadding(where: string, model: LayersModel, chain: readonly Layer[], style: PaddingStyle): void {
  const wrong = firstOther(model, chain, style);
  if (!wrong) return;
  const { before } = placed(wrong, style);
  fail({
    code: 'invalid-argument',
    where,
    expected: `a model that pads as the network of these weights does, ${before} before ${wrong.size} pixels ('${style}')`,
    received: `layer '${wrong.name}', which pads ${wrong.before}`,
    remedy: `Build it with mobilenetV1({ padding: '${style}' }); to train it further, { ignorePadding: true } will do.`,
  });
}

/** The style in which a model pads; undefined where it is in none. Of two that are one on its maps, the one of its layers. */
export function paddingOf(model: LayersModel, chain: readonly Layer[]): PaddingStyle | undefined {
  const isPadded = chain.some((layer) => layer.getClassName() === 'ZeroPadding2D');
  const styles = isPadded ? paddingStyles.toReversed() : paddingStyles;
  return styles.find((style) => padsAs(model, chain, style));
}

/** Whether a model pads as in a style, by whatever layers. */
export function padsAs(model: LayersModel, chain: readonly Layer[], style: PaddingStyle): boolean {
  // Where a layer that changes sizes in its own way comes before all strides, nothing is known of them.
  const isSeen = windowsOf(model, chain).length > 0 || !chain.some(isStrided);
  return isSeen && !firstOther(model, chain, style);
}

/** The first convolution with a stride that pads in another way. */
function firstOther(model: LayersModel, chain: readonly Layer[], style: PaddingStyle) {
  return windowsOf(model, chain).find((window) => {
    const expected = placed(window, style);
    return window.before !== expected.before || window.places !== expected.places;
  });
}

/** The convolutions with a stride, along both axes. */
function windowsOf(model: LayersModel, chain: readonly Layer[]) {
  return ([0, 1] as const).flatMap((axis) =>
    stridedWindows(chain, axis, model.inputs[0]!.shape[axis + 1] ?? USUAL_SIZE),
  );
}

function isStrided(layer: Layer): boolean {
  const { strides } = layer.getConfig() as WindowConfig;
  return CONVOLUTIONS.includes(layer.getClassName()) && strides!.some((stride) => stride > 1);
}

/** A convolution along one axis. */
interface SlidingWindow {
  readonly name: string;
  readonly kind: BlockKind;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
}

/** Zeros before the first pixel, and how many places the window takes. */
interface Placed {
  readonly before: number;
  readonly places: number;
}

type Pads = readonly [before: number, after: number];

/** The convolutions with a stride, up to where pictures end or a layer changes their size in its own way. */
function stridedWindows(chain: readonly Layer[], axis: 0 | 1, inputSize: number): (SlidingWindow & Placed)[] {
  const found: (SlidingWindow & Placed)[] = [];
  let size = inputSize;
  let zeros: Pads = [0, 0];
  for (const layer of chain) {
    const kind = layer.getClassName();
    const { padding, kernelSize, poolSize = kernelSize, strides } = layer.getConfig() as WindowConfig;
    if (kind === 'ZeroPadding2D') {
      const [before, after] = (padding as readonly Pads[])[axis]!;
      zeros = [zeros[0] + before, zeros[1] + after];
    } else if (windowKinds.has(kind)) {
      const window = { size, kernel: poolSize![axis]!, stride: strides![axis]! };
      const placement = place(window, padding as Mode, zeros);
      const block = kind === 'Conv2D' ? 'conv' : 'depthwise';
      if (CONVOLUTIONS.includes(kind) && window.stride > 1)
        found.push({ name: layer.name, kind: block, ...window, ...placement });
      size = placement.places;
      zeros = [0, 0];
    } else if (!keepsSize.test(kind)) {
      return found;
    }
  }
  return found;
}

type Mode = 'same' | 'valid';

interface WindowConfig {
  readonly padding?: Mode | readonly Pads[];
  readonly kernelSize?: readonly number[];
  readonly poolSize?: readonly number[];
  readonly strides?: readonly number[];
}

const windowKinds: ReadonlySet<string> = new Set(['AveragePooling2D', 'Conv2D', 'DepthwiseConv2D', 'MaxPooling2D']);
const CONVOLUTIONS = ['Conv2D', 'DepthwiseConv2D'];
const keepsSize = /^(Activation|BatchNormalization|(Gaussian)?Dropout|GaussianNoise|\w*ReLU|ELU|Rescaling)$/;

/** Where the window would begin with another padding. */
function placed(window: SlidingWindow, style: PaddingStyle): Placed {
  const { kind, kernel, stride } = window;
  const { mode, before, after } = windowPadding({ kind, kernelSize: kernel, strides: stride }, style);
  return place(window, mode, [before, after]);
}

function place(window: Pick<SlidingWindow, 'size' | 'kernel' | 'stride'>, padding: Mode, [top, bottom]: Pads): Placed {
  const { size, kernel, stride } = window;
  const sliding = { kernelSize: [kernel, 1], strides: [stride, 1], padding } as const;
  const placement = placeWindow({ height: size, width: 1, channels: 1 }, sliding, { ...noZeros, top, bottom });
  return { before: placement.window.padTop, places: placement.height };
}
