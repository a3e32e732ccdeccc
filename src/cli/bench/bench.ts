import { platform } from '#platform';
import { EXIT, type ExitCode, print, printJson, type Session, say } from '../session';
import { startTfjs } from '../shared/tfjs';
import { disagreement } from './agreement';
import type { BenchOptions } from './benchOptions';
import { type BenchRow, benchText } from './benchText';
import { type Probe, pictureSeconds, probe, stepSeconds } from './measure';
import { findRuntimes, type Runtime } from './runtimes';

/** Checks that all runtimes compute the same, then measures them. */
export async function bench(options: BenchOptions, session: Session): Promise<ExitCode> {
  const { alpha, size, seconds, threads, json } = options;
  const sizes = { train: size ?? 32, classify: size ?? 224 };
  const measuring = { alpha, seconds, threads, signal: session.signal };
  await startTfjs();
  const runtimes = await findRuntimes();
  const probes: (Probe & { name: string })[] = [];
  for (const runtime of runtimes) {
    probes.push({ name: runtime.name, ...(await probe(runtime, sizes, measuring)) });
  }
  const problem = disagreement(probes);
  if (problem !== undefined) {
    say(session, problem);
    return EXIT.failure;
  }
  say(session, `The same losses and probabilities in: ${runtimes.map(({ name }) => name).join(', ')}`);
  const rows: BenchRow[] = [];
  for (const runtime of runtimes) {
    say(session, `training: ${runtime.name}`);
    const step = await stepSeconds(runtime, sizes.train, measuring);
    rows.push(rowOf('training', runtime, step, runtime.batchSize));
  }
  for (const runtime of runtimes) {
    say(session, `classification: ${runtime.name}`);
    rows.push(rowOf('classification', runtime, await pictureSeconds(runtime, sizes.classify, measuring), 1));
  }
  const { module, threads: used } = probes[0]!.info;
  const result = { alpha, sizes, threads: used, module, environment: platform.describe(), rows };
  if (json) printJson(session, result);
  else print(session, benchText(result));
  return EXIT.ok;
}

function rowOf(task: BenchRow['task'], { name }: Runtime, seconds: number, batchSize: number): BenchRow {
  return { task, runtime: name, batchSize, milliseconds: 1000 * seconds, imagesPerSecond: batchSize / seconds };
}
