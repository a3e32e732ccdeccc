import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ClassifierEvaluation, TrainClassifierResult, TrainingEpoch } from '../../index';
import type { Pictures } from '../shared/datasets';
import { percent, table } from '../shared/text';
import type { TrainOptions } from './trainOptions';

/** What a training came from. */
export interface Finished {
  model: LayersModel;
  pictures: Pictures;
  result: TrainClassifierResult;
  options: TrainOptions;
  test: ClassifierEvaluation | undefined;
  /** The path of report.html. */
  report: string;
}

/** What a training came to, as `--json` ends with. */
export function summaryOf({ model, pictures, result, options, test, report }: Finished) {
  const { history, ...ran } = result;
  const { out, recipe, pretrained } = options;
  const last = history.at(-1);
  return {
    out,
    report,
    dataset: pictures.name,
    classNames: pictures.train.classNames,
    recipe: pretrained ? undefined : recipe,
    pretrained,
    parameters: model.countParams(),
    epochs: history.length,
    loss: last?.loss,
    accuracy: last?.accuracy,
    valLoss: last?.valLoss,
    valAccuracy: last?.valAccuracy,
    testLoss: test?.loss,
    testAccuracy: test?.accuracy,
    ...ran,
  };
}

/** How it went, an epoch a line. */
export function historyTable(history: readonly TrainingEpoch[]): string {
  const head = ['epoch', 'loss', 'accuracy', 'validation loss', 'validation accuracy', 'images/s', 'seconds'];
  const rows = history.map((epoch) => [
    String(epoch.epoch),
    epoch.loss.toFixed(3),
    percent(epoch.accuracy),
    epoch.valLoss?.toFixed(3) ?? '',
    epoch.valLoss === undefined ? '' : percent(epoch.valAccuracy),
    epoch.imagesPerSecond.toFixed(0),
    epoch.seconds.toFixed(1),
  ]);
  const isValidated = history.some(({ valLoss }) => valLoss !== undefined);
  const shown = (row: readonly string[]) => row.filter((_, column) => isValidated || (column !== 3 && column !== 4));
  return table(shown(head), rows.map(shown), 0);
}

/** What it came to, in a sentence or two. */
export function summaryText(summary: ReturnType<typeof summaryOf>): string {
  const { engine, module, threads, fallbackReason, out, testAccuracy, valAccuracy } = summary;
  const ran = engine === 'fused' ? `the engine (${module}), threads: ${threads}` : `tfjs: ${fallbackReason}`;
  const measured =
    testAccuracy !== undefined
      ? ` It classifies ${percent(testAccuracy)} of the test pictures right.`
      : valAccuracy !== undefined
        ? ` It classifies ${percent(valAccuracy)} of the pictures that were held back right.`
        : '';
  return `Trained in ${ran}; the model is in ${out}.${measured}`;
}
