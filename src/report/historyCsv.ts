import type { ReportEpoch } from './trainingReport';

const COLUMNS = [
  'epoch',
  'loss',
  'accuracy',
  'valLoss',
  'valAccuracy',
  'learningRate',
  'imagesPerSecond',
  'seconds',
] as const satisfies (keyof ReportEpoch)[];

/**
 * The history of a training as CSV (RFC 4180): a line of names, then one an epoch.
 *
 * Numbers are written with all their digits, so that reading them gives the same ones; what is undefined is empty.
 *
 * @example
 * ```ts
 * const { history } = await trainClassifier(model, train, { epochs: 2 });
 * console.log(historyCsv(history));
 * ```
 */
export function historyCsv(epochs: readonly ReportEpoch[]): string {
  // Numbers and these names hold nothing that would have to be quoted.
  const rows = epochs.map((epoch) => COLUMNS.map((name) => epoch[name] ?? ''));
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
