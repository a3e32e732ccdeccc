import { platform } from '#platform';
import { check, checkOptions } from '../errors';
import { historyCsv } from './historyCsv';
import type { TrainingReport } from './trainingReport';
import { trainingReportHtml } from './trainingReportHtml';

/** Options for {@link createReportWriter}. */
export interface ReportWriterOptions {
  /** The folder for the files, which is made where there is none. */
  dir: string;
  /** The least time between two writes of `offer`. @default 5 */
  everySeconds?: number | undefined;
}

/** Writes reports of one training; see {@link createReportWriter}. */
export interface ReportWriter {
  /** Writes what `report` gives if the last write is long enough ago, and none is under way; else calls nothing. */
  offer(report: () => TrainingReport | Promise<TrainingReport>): Promise<void>;
  /** Writes this report, after a write that is under way. */
  write(report: TrainingReport): Promise<void>;
}

/**
 * Keeps three files in a folder up to date while a training runs, in Node: `report.html` (see {@link trainingReportHtml}),
 * `history.csv` (see {@link historyCsv}) and `history.json` (title, status, settings, environment, epochs, evaluation).
 *
 * Each name stands for a whole file at every moment, so that a reader or a killed process never leaves half of one. In
 * JSON, numbers that are not finite are null.
 *
 * @throws {MobilenetError} `invalid-argument` where `dir` is empty or `everySeconds` below 0; `file-system` from `offer` and `write`,
 * where the folder cannot be written, or in a browser.
 * @example
 * ```ts
 * const writer = createReportWriter({ dir: 'run-1' });
 * await writer.write({
 *   title: 'Run 1',
 *   status: { state: 'running', epoch: 0, step: 0, progress: 0, seconds: 0, secondsLeft: Number.NaN },
 *   time: Date.now(),
 *   classNames: ['cat', 'dog'],
 *   samples: [],
 *   epochs: [],
 *   steps: [],
 *   settings: { seed: 1 },
 *   environment: {},
 * });
 * ```
 */
export function createReportWriter(options: ReportWriterOptions): ReportWriter {
  checkOptions('createReportWriter', options, { dir: 'string', everySeconds: 'number' });
  const { dir, everySeconds = 5 } = options;
  check(dir !== '', { where: 'createReportWriter', expected: 'dir to be a folder', received: dir });
  check(everySeconds >= 0, {
    where: 'createReportWriter',
    expected: 'everySeconds to be a number of at least 0',
    received: everySeconds,
  });
  let lastEnd = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  const write = async (report: () => TrainingReport | Promise<TrainingReport>) => {
    while (underWay) await underWay.catch(() => {});
    underWay = (async () => writeFiles(dir, await report()))().finally(() => {
      underWay = undefined;
      lastEnd = performance.now();
    });
    await underWay;
  };
  return {
    write: (report) => write(() => report),
    async offer(report) {
      if (underWay === undefined && performance.now() - lastEnd >= 1000 * everySeconds) await write(report);
    },
  };
}

async function writeFiles(dir: string, report: TrainingReport): Promise<void> {
  const { title, status, time, settings, environment, epochs, evaluation } = report;
  const history = { title, status, time, settings, environment, epochs, evaluation };
  const folder = dir.replace(/[/\\]+$/, '');
  await platform.replaceFile(`${folder}/history.csv`, historyCsv(epochs));
  await platform.replaceFile(`${folder}/history.json`, `${JSON.stringify(history, null, 2)}\n`);
  await platform.replaceFile(`${folder}/report.html`, await trainingReportHtml(report));
}
