import { rounded, table } from '../shared/text';

/** A line of the table. */
export interface BenchRow {
  task: 'training' | 'classification';
  runtime: string;
  /** Pictures at a time. */
  batchSize: number;
  milliseconds: number;
  imagesPerSecond: number;
}

/** What was measured where. */
export interface BenchResult {
  alpha: number;
  sizes: { train: number; classify: number };
  /** Of the engine. */
  threads: number | undefined;
  module: string | undefined;
  environment: Readonly<Record<string, string | number>>;
  /** The engine's is the first of each task. */
  rows: readonly BenchRow[];
}

/** The table for people, with what belongs beside it. */
export function benchText({ alpha, sizes, threads, module, environment, rows }: BenchResult): string {
  const lines = rows.map(({ task, runtime, batchSize, milliseconds, imagesPerSecond }) => {
    const engine = rows.find((row) => row.task === task)!;
    const ratio = runtime === engine.runtime ? '' : `${rounded(engine.imagesPerSecond / imagesPerSecond)} x`;
    return [task, runtime, String(batchSize), rounded(milliseconds), rounded(imagesPerSecond), ratio];
  });
  const { processor, processors, runtime } = environment;
  const side = (size: number) => `${size} x ${size}`;
  return [
    `MobileNetV1, alpha ${alpha}, trained on ${side(sizes.train)}, classifying ${side(sizes.classify)}`,
    `${processor}, ${processors} processors, ${runtime}; the engine (${module}), threads: ${threads}`,
    '',
    table(['task', 'runtime', 'pictures at a time', 'ms', 'images/s', 'the engine is faster'], lines, 2),
    ...(rows.some((row) => row.runtime === 'tfjs wasm')
      ? ['', "tfjs wasm trains with this library's gradients of convolutions, as it has none."]
      : []),
  ].join('\n');
}
