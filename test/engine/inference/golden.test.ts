import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync } from 'node:fs';
import { dispose, io, setBackend } from '@tensorflow/tfjs-core';
import { PNG } from 'pngjs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createInferenceEngine } from '../../../src/engine/inferenceEngine';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { quantizeGraph } from '../../../src/graph/quantizeGraph';
import { mobilenetV1 } from '../../../src/model/mobilenetV1';
import { flavours } from '../../kernels/engine/arena';
import { foldedGraph, inputRange } from './cases';

// Weights by Google, photos and reference logits: none of it is part of the project.
const folder = new URL('../../../../shared/imagenet/', import.meta.url);
const missing = !existsSync(folder);
const reason = missing ? ' (skipped: ../shared/imagenet is missing)' : '';

type Golden = Record<string, { top5: { class: number }[]; logits: number[] }>;

const read = (path: string) => readFileSync(new URL(path, folder));
const readJson = (path: string) => JSON.parse(read(path).toString());

describe.skipIf(missing)(`real ImageNet weights, alpha 0.25${reason}`, () => {
  let graph: InferenceGraph;
  let golden: Golden;
  let names: string[];
  let pixels: Uint8Array;

  beforeAll(async () => {
    await setBackend('cpu');
    golden = readJson('golden_0.25_224.json');
    names = Object.keys(golden);
    pixels = Uint8Array.from(names.flatMap(readPhoto));
    graph = realGraph();
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  const variants = flavours.flatMap(([flavour]) => [1, 2].map((threads) => ({ flavour, threads })));

  test.each(variants)(
    '$flavour, $threads thread(s): the logits of eight photos agree within 1e-3, and so does the top 5',
    async ({ flavour, threads }) => {
      const logits = await run(flavour, threads, graph);
      names.forEach((name, photo) => {
        const expected = golden[name]!;
        const differences = logits[photo]!.map((logit, index) => Math.abs(logit - expected.logits[index]!));
        expect(differences).toHaveLength(1000);
        expect(Math.max(...differences), name).toBeLessThan(1e-3);
        expect(topOf(logits[photo]!, 5), name).toEqual(expected.top5.map((entry) => entry.class));
      });
    },
  );

  test('int8, uncalibrated: the same bytes and top 1 from both modules, with 1 and 2 threads', async () => {
    const quantized = quantizeGraph(graph, { inputRange });
    if ('unsupported' in quantized) throw new Error(quantized.unsupported.reason);
    const all: number[][][] = [];
    for (const { flavour, threads } of variants) all.push(await run(flavour, threads, quantized.graph));
    for (const logits of all) {
      names.forEach((name, photo) => {
        expect(topOf(logits[photo]!, 1), name).toEqual([golden[name]!.top5[0]!.class]);
        // What is left in float differs in the last digits: one module has a fused multiply-add.
        const differences = logits[photo]!.map((logit, index) => Math.abs(logit - all[0]![photo]![index]!));
        expect(Math.max(...differences), name).toBeLessThan(1e-4);
      });
    }
  });

  /** Logits of all photos, with the module of either flavour. */
  async function run(flavour: string, threads: number, of: Parameters<typeof createInferenceEngine>[0]['graph']) {
    // A runtime that has relaxed SIMD says that it has not.
    if (flavour === 'simd') vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    const engine = await createInferenceEngine({ graph: of, inputRange, threads });
    vi.restoreAllMocks();
    try {
      expect(engine.module).toBe(flavour === 'simd' ? 'simd' : 'relaxed-simd');
      const logits = await engine.run(pixels, names.length);
      return names.map((_, photo) => [...logits.subarray(photo * 1000, (photo + 1) * 1000)]);
    } finally {
      await engine.dispose();
    }
  }
});

function readPhoto(name: string): number[] {
  return [...PNG.sync.read(read(`photos/${name}.224.png`)).data.filter((_, index) => index % 4 < 3)];
}

function realGraph(): InferenceGraph {
  const { weightsManifest } = readJson('mobilenet_v1_0.25_224/model.json') as io.ModelJSON;
  const shards = weightsManifest.flatMap(({ paths }) => paths);
  const bytes = Buffer.concat(shards.map((path) => read(`mobilenet_v1_0.25_224/${path}`)));
  const specs = weightsManifest.flatMap(({ weights }) => weights);
  const weights = io.decodeWeights(new Uint8Array(bytes).buffer, specs);
  const model = mobilenetV1({ alpha: 0.25, classifierActivation: 'linear' });
  model.loadWeights(weights);
  const graph = foldedGraph(model);
  dispose(weights);
  model.dispose();
  return graph;
}

function topOf(logits: readonly number[], count: number): number[] {
  return [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, count);
}
