import type { Stage } from '../graph/stage';
import { isPointwise } from '../graph/window';
import type { EngineKernels } from '../kernels/engineKernels';
import { deepestBlock, patchRows, rowsPerBlock } from './blocking';
import { tileScratchBytes } from './fasterTileRows';
import { pixelsOf } from './memory';
import { depthOf } from './plan';
import { windowArguments } from './windowArguments';

/** Scratch memory that one thread needs for a stage of C channels in and Q out. */
export function stageScratchBytes(kernels: EngineKernels, stage: Stage, C: number, Q: number): number {
  const forTiles = tileScratchBytes(kernels);
  if (stage.kind === 'conv') {
    const K = depthOf(stage, C);
    return largest(
      forTiles,
      kernels.f32ConvForwardScratchBytes(rowsPerBlock(K), K),
      isPointwise(stage)
        ? kernels.f32ConvInputGradientScratchBytes(rowsPerBlock(Q), Q, 0)
        : kernels.f32ConvInputGradientScratchBytes(patchRows(Q, pixelsOf(stage.output)), Q, K),
      kernels.f32ConvWeightGradientScratchBytes(deepestBlock(K), K),
    );
  }
  if (stage.kind !== 'depthwise') return forTiles;
  const { input, output, window, multiplier } = stage;
  const sizes = [input.height, input.width, output.height, output.width, multiplier] as const;
  return largest(forTiles, kernels.f32DepthwiseScratchBytes(...sizes, ...windowArguments(window)));
}

/** Sizes of WebAssembly are unsigned, and JavaScript takes those from 2 GiB on for negative numbers. */
function largest(...bytes: number[]): number {
  return Math.max(...bytes.map((size) => size >>> 0));
}
