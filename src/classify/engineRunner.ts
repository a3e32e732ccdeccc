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

/**
 * Runs a graph in the library's own kernels.
 *
 * @param graph is called while the threads start; what it throws is thrown
 */
export async function createEngineRunner(
  graph: () => InferenceGraph | QuantizedGraph,
  { inputRange, threads }: EngineRunnerOptions,
): Promise<Runner> {
  const engine = await createInferenceEngine({ graph, inputRange, threads });
  return {
    info: {
      engine: 'fused',
      precision: engine.precision,
      module: engine.module,
      threads: engine.threads,
      fallbackReason: undefined,
      megabytes: engine.memoryBytes / 2 ** 20,
    },

    async run({ data, images }) {
      const outputs = await engine.run(data, images);
      return engine.outputKind === 'probabilities' ? softmax(outputs, outputs.length / images) : outputs;
    },

    dispose: () => engine.dispose(),
  };
}
