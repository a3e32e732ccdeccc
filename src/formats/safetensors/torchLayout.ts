// F filters, C channels, K taps: height times width of a kernel.

/** `[F,C,K]`, as PyTorch has it, to `[K,C,F]`, as TensorFlow has it. */
export function toTensorflow(values: Float32Array, [filters, channels, taps]: KernelSize): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  let from = 0;
  for (let f = 0; f < filters; f++) {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < taps; k++) turned[(k * channels + c) * filters + f] = values[from++]!;
    }
  }
  return turned;
}

/** `[K,C,F]` to `[F,C,K]`. */
export function toTorch(values: Float32Array, [filters, channels, taps]: KernelSize): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  let to = 0;
  for (let f = 0; f < filters; f++) {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < taps; k++) turned[to++] = values[(k * channels + c) * filters + f]!;
    }
  }
  return turned;
}

type KernelSize = readonly [filters: number, channels: number, taps: number];
