import type { ReportEpoch, ReportStep, TrainingReport } from './trainingReport';

/** Columns of numbers; null where there is none. */
type Columns<Name extends string> = Record<Name, (number | null)[]>;

/** What the page's charts are drawn from; `epoch` is how many are done. */
export interface Curves {
  steps: Columns<Exclude<keyof ReportStep, 'step'>>;
  epochs: Columns<Exclude<keyof ReportEpoch, 'seconds'>>;
}

/** The report's numbers, column by column, with the six digits that a chart can show. */
export function curvesOf({ steps, epochs }: Pick<TrainingReport, 'steps' | 'epochs'>): Curves {
  // One that the minutes ended lies where its last step does.
  const [last, step] = [epochs.at(-1), steps.at(-1)];
  const isCut = last && step && step.epoch > last.epoch - 1 && step.epoch < last.epoch;
  const drawn = isCut ? [...epochs.slice(0, -1), { ...last, epoch: step.epoch }] : epochs;
  return {
    steps: columnsOf(steps, ['epoch', 'loss', 'accuracy', 'learningRate', 'imagesPerSecond']),
    epochs: columnsOf(drawn, [
      'epoch',
      'loss',
      'accuracy',
      'valLoss',
      'valAccuracy',
      'learningRate',
      'imagesPerSecond',
    ]),
  };
}

function columnsOf<Name extends string>(rows: readonly { [K in Name]?: number | undefined }[], names: Name[]) {
  const columns = names.map((name) => [name, rows.map((row) => rounded(row[name]))]);
  return Object.fromEntries(columns) as Columns<Name>;
}

function rounded(value: number | undefined): number | null {
  return Number.isFinite(value) ? Number(value!.toPrecision(6)) : null;
}
