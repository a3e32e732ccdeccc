import { platform } from '#platform';
import { check, checkOptions } from '../errors';
import type { ProgressBar, TextOutput } from '../platform/platform';
import type { TrainingBatch, TrainingEpoch } from './trainingRecords';

/** Options for {@link createProgress}. */
export interface ProgressOptions {
  /** Where it is written. @default standard error in Node, the console in browsers */
  stream?: TextOutput | undefined;
  /**
   * `'auto'`: a bar in a terminal where the package `cli-progress` is installed, else lines. `'bar'`: likewise, and where
   * there are lines instead, the first says why. `'lines'`: one every ten seconds. `'none'`: nothing.
   *
   * With `'auto'`, `'bar'` and `'lines'` each epoch also ends with a line.
   *
   * @default 'auto'
   */
  kind?: ProgressKind | undefined;
}

/** How a training shows itself; see {@link ProgressOptions}. */
export type ProgressKind = 'auto' | 'bar' | 'lines' | 'none';

/** Shows how a training goes; its first two functions are options of {@link trainClassifier}. */
export interface TrainingProgress {
  onBatch(batch: TrainingBatch): Promise<void>;
  onEpoch(epoch: TrainingEpoch): void;
  /** Clears the bar and gives the cursor back; to be called however the training ends. */
  close(): void;
}

/** Within 80 columns, as a terminal cuts off what is more. */
const FORMAT = '{bar} {percentage}%, {left} left, epoch {epoch}, loss {loss}, accuracy {accuracy}, {speed} images/s';

const MS_BETWEEN_LINES = 10_000;

/**
 * Shows how a training goes: a bar in a terminal, lines elsewhere, and a line at the end of each epoch.
 *
 * @throws {MobilenetError} `invalid-argument` where `kind` is none of its names
 * @example
 * ```ts
 * const progress = createProgress();
 * try {
 *   await trainClassifier(model, train, { epochs: 2, onBatch: progress.onBatch, onEpoch: progress.onEpoch });
 * } finally {
 *   progress.close();
 * }
 * ```
 */
export function createProgress(options: ProgressOptions = {}): TrainingProgress {
  checkOptions('createProgress', options, { stream: 'any', kind: 'any' });
  const { stream = platform.messages, kind = 'auto' } = options;
  check(['auto', 'bar', 'lines', 'none'].includes(kind), {
    where: 'createProgress',
    expected: "kind to be 'auto', 'bar', 'lines' or 'none'",
    received: kind,
  });
  if (kind === 'none') return { onBatch: async () => {}, onEpoch() {}, close() {} };
  const say = (line: string) => void stream.write(`${line}\n`);
  let display: Display | undefined;
  return {
    async onBatch(batch) {
      display ??= kind === 'lines' ? lineDisplay(say) : await chooseDisplay(stream, kind, say);
      display.show(batch);
    },
    onEpoch(epoch) {
      display?.hide();
      say(epochLine(epoch));
    },
    close: () => display?.hide(),
  };
}

/** What shows single batches. */
interface Display {
  show(batch: TrainingBatch): void;
  hide(): void;
}

async function chooseDisplay(stream: TextOutput, kind: 'auto' | 'bar', say: (line: string) => void): Promise<Display> {
  const bar = await platform.createBar(stream, FORMAT);
  if (!('missing' in bar)) return barDisplay(bar);
  if (kind === 'bar') say(`Lines in place of a progress bar: ${bar.missing}.`);
  return lineDisplay(say);
}

function barDisplay(bar: ProgressBar): Display {
  return { show: (batch) => bar.show(batch.progress, valuesOf(batch)), hide: bar.hide };
}

/** The first line comes ten seconds after the first batch, as a short training is told by its epochs. */
function lineDisplay(say: (line: string) => void): Display {
  let lastLine = performance.now();
  return {
    show(batch) {
      if (performance.now() - lastLine < MS_BETWEEN_LINES) return;
      lastLine = performance.now();
      const { epoch, loss, accuracy, speed, left } = valuesOf(batch);
      const where = `epoch ${epoch}, batch ${batch.batch} of ${batch.batches}`;
      say(`${where}: loss ${loss}, accuracy ${accuracy}, ${speed} images/s, ${left} left`);
    },
    hide() {},
  };
}

function epochLine({ epoch, loss, accuracy, valLoss, valAccuracy, imagesPerSecond }: TrainingEpoch): string {
  const validation =
    valLoss === undefined ? '' : `, validation loss ${valLoss.toFixed(3)}, accuracy ${percent(valAccuracy)}`;
  const training = `loss ${loss.toFixed(3)}, accuracy ${percent(accuracy)}`;
  return `epoch ${epoch}: ${training}${validation}, ${perSecond(imagesPerSecond)} images/s`;
}

function valuesOf({ epoch, loss, accuracy, imagesPerSecond, secondsLeft }: TrainingBatch) {
  return {
    epoch,
    loss: loss.toFixed(3),
    accuracy: percent(accuracy),
    speed: perSecond(imagesPerSecond),
    left: clock(secondsLeft),
  };
}

const perSecond = (speed: number) => speed.toFixed(speed < 10 ? 1 : 0);

function percent(fraction: number | undefined): string {
  return fraction === undefined ? '?' : `${(100 * fraction).toFixed(1)} %`;
}

/** 3725 seconds as "1:02:05", 65 as "1:05". */
function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return (parts[0] === 0 ? parts.slice(1) : parts)
    .map((part, i) => (i === 0 ? part : String(part).padStart(2, '0')))
    .join(':');
}
