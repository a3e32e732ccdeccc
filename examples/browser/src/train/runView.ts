import type { EpochReport, RunStart, RunStep } from '../protocol';
import { byId, element } from '../ui/dom';
import { count, duration, percent } from '../ui/format';
import type { WorkerClient } from '../workerClient';
import { createCharts } from './charts';
import { ConfusionMatrix } from './confusionMatrix';
import { Curve } from './curve';
import { SampleGrid } from './sampleGrid';

/** Charts are drawn no more often. */
const DRAW_MS = 300;

/** Screen readers hear of epochs no more often. */
const ANNOUNCE_MS = 10_000;

/** Shows a training while it runs. */
export function setUpRunView(worker: WorkerClient): void {
  const charts = createCharts();
  let run: RunStart;
  let curve = new Curve();
  let epochs: EpochReport[] = [];
  let matrix: ConfusionMatrix;
  let samples: SampleGrid;
  let [drawn, announced] = [0, 0];

  const showEpochs = () => {
    byId('epochs-rows').replaceChildren(...epochs.map(rowOf));
    charts.draw(curve.points, epochs, run.classNames.length);
    const last = epochs.at(-1);
    byId('figure-accuracy').textContent = last ? percent(last.valAccuracy) : '–';
    byId('figure-loss').textContent = last ? last.valLoss.toFixed(3) : '–';
    if (!last) return;
    matrix.show(last.confusionMatrix);
    samples.show(last.guesses);
  };

  worker.on('runStart', (start) => {
    run = start;
    curve = new Curve(start.points);
    epochs = [...start.epochs];
    matrix = new ConfusionMatrix(byId('matrix'), start.classNames);
    samples = new SampleGrid(byId('samples'), start.samples, start.classNames);
    announced = 0;
    byId('run-live').hidden = false;
    byId('run-title').textContent = `${start.title}, alpha ${start.settings.alpha}`;
    byId('figure-speed').textContent = byId('figure-time').textContent = '–';
    const pictures = `${count(start.trainSize)} pictures, ${count(start.validationSize)} more held back`;
    sayRun(`${start.resumed ? 'Going on' : 'Starting'}: ${pictures}`);
    showEpochs();
  });

  worker.on('runStep', (step) => {
    curve.add(step);
    const { epochs: all } = run.settings;
    byId('run-status').textContent = `Epoch ${Math.min(all, Math.floor(step.epoch) + 1)} of ${all}`;
    showStep(step);
    if (performance.now() - drawn < DRAW_MS) return;
    drawn = performance.now();
    charts.draw(curve.points, epochs, run.classNames.length);
  });

  worker.on('runEpoch', (report) => {
    epochs = [...epochs.filter(({ epoch }) => epoch < report.epoch), report];
    showEpochs();
    if (performance.now() - announced < ANNOUNCE_MS) return;
    announced = performance.now();
    const right = percent(report.valAccuracy);
    byId('run-announcer').textContent =
      `Epoch ${report.epoch} of ${run.settings.epochs}: ${right} of the pictures held back are right`;
  });
}

/** For the eye and for screen readers. */
export function sayRun(text: string): void {
  byId('run-status').textContent = text;
  byId('run-announcer').textContent = text;
}

/** Without `share`, something goes on that cannot be counted. */
export function showProgress(share?: number): void {
  const bar = byId<HTMLProgressElement>('run-progress');
  if (share === undefined) bar.removeAttribute('value');
  else bar.value = share;
}

function showStep({ progress, imagesPerSecond, secondsLeft }: RunStep): void {
  showProgress(progress);
  byId('figure-speed').textContent = count(Math.round(imagesPerSecond));
  byId('figure-time').textContent = duration(secondsLeft);
}

function rowOf({ epoch, loss, accuracy, valLoss, valAccuracy }: EpochReport): HTMLTableRowElement {
  const cells = [loss.toFixed(3), percent(accuracy), valLoss.toFixed(3), percent(valAccuracy)];
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, String(epoch)),
    ...cells.map((text) => element('td', {}, text)),
  );
}
