import { noZeros, placeWindow, type Sliding, type Zeros } from '../../graph/window';
import { refuse } from '../../io/refuse';
import type { BlockKind, PaddingStyle } from '../../model/architecture';
import { type FileWindow, paddingStyleOf } from '../paddingStyle';
import { type GraphNode, integersAttribute, textAttribute } from './graphNodes';

/** How the convolutions of a graph pad. */
export class GraphWindows {
  private readonly windows: FileWindow[] = [];
  private zeros: Zeros = noZeros;
  private isKnown = true;

  /** @param size of the picture that comes in */
  constructor(
    private readonly where: string,
    private size: { readonly height: number; readonly width: number },
  ) {}

  /** @param zeros `[[0,0],[top,bottom],[left,right],[0,0]]` in one row */
  pad([, , top = 0, bottom = 0, left = 0, right = 0]: readonly number[]): void {
    this.zeros = { top, bottom, left, right };
  }

  /** Returns the strides. */
  convolve(
    node: GraphNode,
    kind: BlockKind,
    [kernelHeight = 1, kernelWidth = 1]: readonly number[],
  ): Sliding['strides'] {
    const [, strideHeight = 1, strideWidth = 1] = integersAttribute(node, 'strides');
    if (!(strideHeight >= 1 && strideWidth >= 1)) {
      refuse(this.where, `strides of node ${node.name} of at least 1`, `${strideHeight} x ${strideWidth}`);
    }
    const dilations = integersAttribute(node, 'dilations');
    if (dilations.some((rate) => rate !== 1)) {
      refuse(this.where, `node ${node.name} without dilation`, `dilations [${dilations}]`);
    }
    const padding = textAttribute(node, 'padding')?.toLowerCase();
    if (padding === 'explicit') this.pad(integersAttribute(node, 'explicit_paddings'));
    const sliding: Sliding = {
      kernelSize: [kernelHeight, kernelWidth],
      strides: [strideHeight, strideWidth],
      padding: padding === 'same' ? 'same' : 'valid',
    };
    const { zeros } = this;
    const { height, width } = placeWindow({ ...this.size, channels: 1 }, sliding, zeros);
    if (this.isKnown) this.windows.push({ kind, sliding, zeros, ...this.size });
    this.size = { height, width };
    this.zeros = noZeros;
    return sliding.strides;
  }

  /** For what changes the size in a way of its own. */
  end(): void {
    this.isKnown = false;
  }

  style(): PaddingStyle | undefined {
    return paddingStyleOf(this.windows);
  }
}
