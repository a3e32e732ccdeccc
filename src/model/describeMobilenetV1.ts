import { type FeatureShape, KERNEL_SIZE, outputSize, type Window, windowPadding } from './architecture';
import { type MobilenetV1Options, type ResolvedNetwork, resolveMobilenetV1 } from './options';

/** One layer of a {@link MobilenetV1Description}. */
export interface LayerDescription {
  readonly name: string;
  /** tfjs's class name, for instance `DepthwiseConv2D`. */
  readonly kind: string;
  /** As tfjs gives it: the batch, `null`, comes first. */
  readonly outputShape: readonly (number | null)[];
  /** Trainable or not: batch norm's moving averages are counted. */
  readonly parameters: number;
  /** Products of the convolution's kernel with one picture; 0 for every other kind of layer. */
  readonly multiplyAdds: number;
}

/** What {@link describeMobilenetV1} gives. In Node, `console.log` prints it as a table; elsewhere `toString()` does. */
export interface MobilenetV1Description {
  /** Layer for layer what `mobilenetV1(options).layers` holds. */
  readonly layers: readonly LayerDescription[];
  /** All parameters, the moving averages of batch norm among them. */
  readonly parameters: number;
  readonly trainableParameters: number;
  /** For one picture: products of convolution kernels only; no bias, batch norm or activation. */
  readonly multiplyAdds: number;
  /** An aligned table with the totals below. */
  toString(): string;
}

/**
 * Describes the network that {@link mobilenetV1} builds from the same options, from the architecture table alone: no
 * tensor is made.
 *
 * @throws {MobilenetError} `invalid-argument`, as {@link mobilenetV1}.
 * @example
 * ```ts
 * const { parameters, multiplyAdds } = describeMobilenetV1({ alpha: 0.5 }); // 1,342,536 and 149,497,088
 * console.log(`${describeMobilenetV1({ classes: 10, inputShape: [32, 32, 3] })}`); // a table
 * ```
 */
export function describeMobilenetV1(options: MobilenetV1Options = {}): MobilenetV1Description {
  const network = resolveMobilenetV1('describeMobilenetV1', options);
  const walk = new Walk(network);
  for (const { kind, name, filters, strides } of network.rows) {
    if (kind === 'conv') {
      walk.convolution(name, { kind, kernelSize: KERNEL_SIZE, strides }, filters, `${name}_pad`);
    } else {
      walk.depthwise(name, strides);
      walk.convolution(`conv_pw_${name}`, { kind: 'conv', kernelSize: 1, strides: 1 }, filters);
    }
  }
  if (network.includeTop) walk.classifier();
  else walk.pooling();
  return new Description(walk.layers);
}

/** Goes through the network as the builder does and writes down each layer that it passes. */
class Walk {
  readonly layers: LayerDescription[] = [];
  private shape: FeatureShape;

  constructor(private readonly network: ResolvedNetwork) {
    this.shape = network.inputShape;
    this.add('input_1', 'InputLayer');
  }

  convolution(name: string, window: Window, filters: number, padName?: string): void {
    const channels = this.shape[2];
    this.slide(window, filters, padName);
    this.addKernel(name, 'Conv2D', window.kernelSize ** 2 * channels * filters);
    this.addBatchNormAndReLU(name);
  }

  depthwise(block: string, strides: number): void {
    const window = { kind: 'depthwise', kernelSize: KERNEL_SIZE, strides } as const;
    const channels = this.shape[2] * this.network.depthMultiplier;
    this.slide(window, channels, `conv_pad_${block}`);
    this.addKernel(`conv_dw_${block}`, 'DepthwiseConv2D', KERNEL_SIZE ** 2 * channels);
    this.addBatchNormAndReLU(`conv_dw_${block}`);
  }

  classifier(): void {
    const { classes, classifierActivation } = this.network;
    const channels = this.shape[2];
    this.addFlat('global_average_pooling2d_1', 'GlobalAveragePooling2D', channels);
    this.shape = [1, 1, channels];
    this.add('reshape_1', 'Reshape');
    this.add('dropout', 'Dropout');
    this.shape = [1, 1, classes];
    this.addKernel('conv_preds', 'Conv2D', channels * classes, classes);
    if (classifierActivation === 'softmax') this.add('act_softmax', 'Activation');
    this.addFlat('reshape_2', 'Reshape', classes);
  }

  pooling(): void {
    const { pooling } = this.network;
    if (pooling === 'avg') this.addFlat('global_average_pooling2d_1', 'GlobalAveragePooling2D', this.shape[2]);
    if (pooling === 'max') this.addFlat('global_max_pooling2d_1', 'GlobalMaxPooling2D', this.shape[2]);
  }

  /** Moves on to the shape behind a convolution, past the padding layer where there is one. */
  private slide(window: Window, channels: number, padName?: string): void {
    const { padding } = this.network;
    const [height, width, before] = this.shape;
    const zeros = windowPadding(window, padding);
    const border = zeros.before + zeros.after;
    if (padName !== undefined && border > 0) {
      this.shape = [height + border, width + border, before];
      this.add(padName, 'ZeroPadding2D');
    }
    this.shape = [outputSize(height, window, padding), outputSize(width, window, padding), channels];
  }

  private addKernel(name: string, kind: string, weights: number, biases = 0): void {
    // Each weight meets each output pixel once.
    this.add(name, kind, weights + biases, weights * this.shape[0] * this.shape[1]);
  }

  private addBatchNormAndReLU(name: string): void {
    this.add(`${name}_bn`, 'BatchNormalization', 4 * this.shape[2]);
    this.add(`${name}_relu`, 'ReLU');
  }

  private add(name: string, kind: string, parameters = 0, multiplyAdds = 0): void {
    this.layers.push({ name, kind, outputShape: [null, ...this.shape], parameters, multiplyAdds });
  }

  private addFlat(name: string, kind: string, units: number): void {
    this.layers.push({ name, kind, outputShape: [null, units], parameters: 0, multiplyAdds: 0 });
  }
}

class Description implements MobilenetV1Description {
  readonly parameters: number;
  readonly trainableParameters: number;
  readonly multiplyAdds: number;

  constructor(readonly layers: readonly LayerDescription[]) {
    const total = (value: (layer: LayerDescription) => number) => layers.reduce((sum, layer) => sum + value(layer), 0);
    this.parameters = total(({ parameters }) => parameters);
    // Half of a batch norm is gamma and beta, the other half its moving averages.
    const averages = total(({ kind, parameters }) => (kind === 'BatchNormalization' ? parameters / 2 : 0));
    this.trainableParameters = this.parameters - averages;
    this.multiplyAdds = total(({ multiplyAdds }) => multiplyAdds);
    // Node's `console.log` asks for this. No method: bundlers would keep a class with a name that is computed.
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value: () => this.toString() });
  }

  toString(): string {
    const rows = this.layers.map(({ name, kind, outputShape, parameters, multiplyAdds }) => [
      name,
      kind,
      outputShape.slice(1).join(' x '),
      grouped(parameters),
      grouped(multiplyAdds),
    ]);
    const totals = [
      `Parameters:    ${grouped(this.parameters)}, of them trainable ${grouped(this.trainableParameters)}`,
      `Multiply-adds: ${grouped(this.multiplyAdds)}`,
    ];
    return [...alignColumns([['Layer', 'Kind', 'Output', 'Parameters', 'Multiply-adds'], ...rows]), '', ...totals].join(
      '\n',
    );
  }
}

/** Pads cells to columns: the first two to the left, numbers to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '),
  );
}

/** Digits in groups of three. */
function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
