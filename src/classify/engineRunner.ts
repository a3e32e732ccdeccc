import { createInferenceEngine } from '../engine/inferenceEngine';
import type { InferenceGraph } from '../graph/inferenceGraph';
import type { QuantizedGraph } from '../graph/quantizeGraph';
import type { Runner } from './runner';
import { softmax } from './softmax';

/** Options for {@link createEngineRunner}. */
export interface EngineRunnerOptions {
  /** What pixels 0 to 255 are mapped to. */
  inputRange: readonly [low: number, high: number];
  threads: number | undefined;
}

/** Runs a graph in the library's own kernels. */
export async function createEngineRunner(
  graph: InferenceGraph | QuantizedGraph,
  options: EngineRunnerOptions,
): Promise<Runner> {
  const engine = await createInferenceEngine({ graph, ...options });
  const { module, threads, memoryBytes } = engine;
  // Not the graph itself, which holds all weights once more.
  const { outputKind } = graph;
  return {
    info: {
      engine: 'fused',
      precision: 'inputScale' in graph ? 'int8' : 'float32',
      module,
      threads,
      fallbackReason: undefined,
      megabytes: memoryBytes / 2 ** 20,
    },

    async run({ data, images }) {
      const outputs = await engine.run(data, images);
      return outputKind === 'probabilities' ? softmax(outputs, outputs.length / images) : outputs;
    },

    dispose: () => engine.dispose(),
  };
}
