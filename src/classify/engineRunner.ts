import { createInferenceEngine } from '../engine/inferenceEngine';
import type { InferenceGraph } from '../graph/inferenceGraph';
import type { QuantizedGraph } from '../graph/quantizeGraph';
import type { InputRange } from '../inputRange';
import type { Runner } from './runner';

/** Options for {@link createEngineRunner}. */
export interface EngineRunnerOptions {
  /** What pixels 0 to 255 are mapped to. */
  inputRange: InputRange;
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

    run: ({ data, images }) => engine.predict(data, images),
    dispose: () => engine.dispose(),
  };
}
