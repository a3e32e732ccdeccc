import cliProgress from 'cli-progress';
import Table from 'cli-table3';

/** @typedef {import('mobilenet-v1-ts').TrainingBatch} TrainingBatch */
/** @typedef {import('mobilenet-v1-ts').TrainingEpoch} TrainingEpoch */

/** What people see. Everything but the table goes to stderr, so that stdout can be piped. */
export function textReport() {
  const bar = progressBar('{bar} {percentage}% | step {step} | loss {loss} | {speed} images/s | {left} left');
  const download = progressBar('{bar} {percentage}% | {megabytes} of {totalMegabytes} MB of CIFAR-10');
  return {
    /** @param {string} text */
    say: (text) => console.error(text),
    /** @param {{ loaded: number, total?: number | undefined }} progress */
    onDownload({ loaded, total }) {
      const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0);
      if (!total) return;
      download.show(loaded / total, { megabytes: megabytes(loaded), totalMegabytes: megabytes(total) });
      if (loaded >= total) download.hide();
    },
    /** @param {TrainingBatch} batch */
    onBatch(batch) {
      bar.show(batch.progress, {
        step: batch.step,
        loss: batch.loss.toFixed(3),
        speed: batch.imagesPerSecond.toFixed(0),
        left: clock(batch.secondsLeft),
      });
    },
    /** @param {TrainingEpoch} epoch */
    onEpoch(epoch) {
      bar.hide();
      console.error(
        `epoch ${epoch.epoch}: loss ${epoch.loss.toFixed(3)}, accuracy ${percent(epoch.accuracy)}, ` +
          `test accuracy ${percent(epoch.valAccuracy)}, ${epoch.imagesPerSecond.toFixed(0)} images/s`,
      );
    },
    /** @param {TrainingEpoch[]} history */
    onHistory(history) {
      const table = new Table({
        head: ['epoch', 'train loss', 'train accuracy', 'test loss', 'test accuracy', 'images/s', 'seconds'],
        colAligns: Array(7).fill('right'),
        style: { head: [], border: [] },
      });
      for (const e of history) {
        table.push([
          e.epoch,
          e.loss.toFixed(3),
          percent(e.accuracy),
          (e.valLoss ?? Number.NaN).toFixed(3),
          percent(e.valAccuracy),
          e.imagesPerSecond.toFixed(0),
          e.seconds.toFixed(1),
        ]);
      }
      console.log(table.toString());
    },
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
    /** @param {{ testAccuracy: number } & Record<string, unknown>} summary */
    onEnd({ testAccuracy }) {
      console.log(`The loaded model classifies ${percent(testAccuracy)} of the test pictures right.`);
    },
    close() {
      bar.hide();
      download.hide();
    },
  };
}

/** What programs read: one object a line on stdout, and nothing else there. */
export function jsonReport() {
  const print = (/** @type {unknown} */ value) => console.log(JSON.stringify(value));
  return {
    ...textReport(),
    onDownload() {},
    onBatch() {},
    onEpoch: print,
    onHistory() {},
    onClassified() {},
    onEnd: print,
  };
}

/** @param {string} format */
function progressBar(format) {
  const bar = new cliProgress.SingleBar({
    format,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: false,
    stream: process.stderr,
  });
  let shown = false;
  return {
    /**
     * @param {number} progress in [0, 1]
     * @param {object} values
     */
    show(progress, values) {
      if (!shown) bar.start(1000, 0, values);
      shown = true;
      bar.update(Math.round(progress * 1000), values);
    },
    hide() {
      if (shown) bar.stop();
      shown = false;
    },
  };
}

/** @param {number | undefined} fraction */
const percent = (fraction) => `${(100 * (fraction ?? Number.NaN)).toFixed(1)} %`;

/** @param {number} seconds */
function clock(seconds) {
  if (!Number.isFinite(seconds)) return '?';
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}
