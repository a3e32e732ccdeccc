/** A convolution or dense layer and the batch norm behind it; either may be missing. */
export interface Unit<Kernel, Norm> {
  readonly kernel: Kernel | undefined;
  readonly norm: Norm | undefined;
}

/** Pairs each kernel with the batch norm that follows it. */
export function groupUnits<Kernel extends { readonly kind: string }, Norm extends { readonly kind: 'batchNorm' }>(
  layers: readonly (Kernel | Norm)[],
): Unit<Kernel, Norm>[] {
  const isNorm = (layer: Kernel | Norm): layer is Norm => layer.kind === 'batchNorm';
  const units: Unit<Kernel, Norm>[] = [];
  for (const layer of layers) {
    const last = units.at(-1);
    if (!isNorm(layer)) units.push({ kernel: layer, norm: undefined });
    else if (last?.kernel && !last.norm) units[units.length - 1] = { ...last, norm: layer };
    else units.push({ kernel: undefined, norm: layer });
  }
  return units;
}
