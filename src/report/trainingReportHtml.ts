import type { TrainingReport } from './trainingReport';

/**
 * A training as one HTML page that needs nothing else: no network, no files beside it.
 *
 * Sample pictures, curves of loss, accuracy, learning rate and speed, the confusion matrix, the accuracy of each class,
 * the most confident mistakes, the numbers of each epoch, settings and environment. While the training runs, the page
 * loads itself anew every 5 seconds. Charts are drawn by uPlot, whose licence is in the page; the tables need no script.
 * The page's own Content Security Policy lets nothing run or load but what it brought along.
 *
 * @example
 * ```ts
 * const { history } = await trainClassifier(model, train, { epochs: 2 });
 * const page = await trainingReportHtml({
 *   title: 'Two epochs',
 *   status: { state: 'finished', epoch: 2, step: 100, progress: 1, seconds: 60 },
 *   time: Date.now(),
 *   classNames: train.classNames,
 *   samples: await reportPictures(train, [0, 1, 2, 3, 4]),
 *   epochs: history,
 *   steps: [],
 *   settings: { epochs: 2 },
 *   environment: {},
 * });
 * console.log(page.slice(0, 15)); // <!doctype html>
 * ```
 */
export async function trainingReportHtml(report: TrainingReport): Promise<string> {
  // On use: with the chart library it is as large as the rest of the training.
  const { reportHtml } = await import('./reportHtml');
  return reportHtml(report);
}
