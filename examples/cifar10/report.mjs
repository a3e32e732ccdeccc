import cliProgress from 'cli-progress';
import Table from 'cli-table3';

/** @typedef {import('mobilenet-v1-ts').TrainingEpoch} TrainingEpoch */
/** @typedef {{ label: string, predicted: string, pictures: number }} Confusion */
/** @typedef {{ testAccuracy: number, confusions: Confusion[] } & Record<string, unknown>} Summary */

/** What people see. Everything but results goes to stderr, so that stdout can be piped. */
export function textReport() {
  const download = downloadBar();
  return {
    /** @type {import('mobilenet-v1-ts').ProgressKind} How `trainClassifier` shows itself. */
    progress: 'auto',
    /** @type {((epoch: TrainingEpoch) => void) | undefined} */
    onEpoch: undefined,
    /** @param {string} text */
    say: (text) => console.error(text),
    onDownload: download.onProgress,
    /** @param {TrainingEpoch[]} history */
    onHistory: (history) => console.log(historyTable(history).toString()),
    /** @param {{ predicted: string, probability: number, label: string }[]} pictures */
    onClassified(pictures) {
      const table = new Table({
        head: ['picture', 'predicted', 'probability', 'label', ''],
        style: { head: [], border: [] },
      });
      pictures.forEach(({ predicted, probability, label }, i) => {
        table.push([i, predicted, percent(probability), label, predicted === label ? 'right' : 'wrong']);
      });
      console.log(table.toString());
    },
    /** @param {Summary} summary */
    onEnd({ testAccuracy, confusions }) {
      const pairs = confusions.map(({ label, predicted, pictures }) => `${label} taken for ${predicted} (${pictures})`);
      if (pairs.length > 0) console.log(`Most frequent confusions: ${pairs.join(', ')}.`);
      console.log(`The loaded model classifies ${percent(testAccuracy)} of the test pictures right.`);
    },
    close: download.hide,
  };
}

/** What programs read: one object a line on stdout, and nothing else there. */
export function jsonReport() {
  const print = (/** @type {unknown} */ value) => console.log(JSON.stringify(value));
  return {
    ...textReport(),
    progress: /** @type {const} */ ('none'),
    onEpoch: print,
    onDownload() {},
    onHistory() {},
    onClassified() {},
    onEnd: print,
  };
}

/**
 * The wrong answers that are given most often, the most frequent first.
 *
 * @param {import('mobilenet-v1-ts').ClassifierEvaluation} evaluation
 * @param {number} [count] at most so many
 * @returns {Confusion[]}
 */
export function mostFrequentConfusions({ confusionMatrix, perClass }, count = 3) {
  const name = (/** @type {number} */ k) => String(perClass[k]?.className);
  return confusionMatrix
    .flatMap((row, k) => row.map((pictures, j) => ({ label: name(k), predicted: name(j), pictures })))
    .filter(({ label, predicted, pictures }) => label !== predicted && pictures > 0)
    .sort((a, b) => b.pictures - a.pictures)
    .slice(0, count);
}

/** @param {TrainingEpoch[]} history */
function historyTable(history) {
  const validated = history.some(({ valLoss }) => valLoss !== undefined);
  const head = [
    'epoch',
    'loss',
    'accuracy',
    ...(validated ? ['validation loss', 'validation accuracy'] : []),
    'images/s',
    'seconds',
  ];
  const table = new Table({ head, colAligns: head.map(() => 'right'), style: { head: [], border: [] } });
  for (const { epoch, loss, accuracy, valLoss, valAccuracy, imagesPerSecond, seconds } of history) {
    table.push([
      epoch,
      loss.toFixed(3),
      percent(accuracy),
      ...(validated ? [valLoss?.toFixed(3), percent(valAccuracy)] : []),
      imagesPerSecond.toFixed(0),
      seconds.toFixed(1),
    ]);
  }
  return table;
}

function downloadBar() {
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage}% | {megabytes} of {totalMegabytes} MB of CIFAR-10',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0);
  return {
    /** @param {import('mobilenet-v1-ts').LoadProgress} progress */
    onProgress({ loaded, total }) {
      if (!total) return;
      const values = { megabytes: megabytes(loaded), totalMegabytes: megabytes(total) };
      if (bar.isActive) bar.update(loaded, values);
      else bar.start(total, loaded, values);
      if (loaded >= total) bar.stop();
    },
    hide: () => bar.stop(),
  };
}

/** @param {number | undefined} fraction */
const percent = (fraction) => `${(100 * (fraction ?? Number.NaN)).toFixed(1)} %`;
