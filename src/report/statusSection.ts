import { count, counted, decimal, duration, percent, speed } from './format';
import { type Html, html } from './html';
import type { ReportEpoch, ReportStatus, TrainingReport } from './trainingReport';

const STATES = { running: 'Running', finished: 'Finished', stopped: 'Stopped' };

/** Title, status and the figures that people look for first. */
export function statusSection(report: TrainingReport): Html {
  const { title, status, time } = report;
  const date = new Date(time).toISOString();
  const readable = `${date.slice(0, 16).replace('T', ' ')} UTC`;
  return html`<header>
<div class="headline"><h1>${title}</h1><p class="state ${status.state}">${STATES[status.state]}</p></div>
<p class="note">As of <time datetime="${date}">${readable}</time><span id="stale" hidden>; nothing new since then, so it may have been interrupted</span></p>
${progressOf(status)}
<dl class="figures">${figuresOf(report)}</dl>
</header>`;
}

function progressOf(status: ReportStatus): Html {
  const { state, epoch, step, progress } = status;
  const where = `epoch ${epoch}, step ${count(step)}`;
  if (state === 'finished') return html``;
  if (state === 'stopped') return html`<p class="reason"><strong>Stopped in ${where}:</strong> ${status.reason}</p>`;
  const done = percent(progress, 0);
  return html`<div class="progress"><progress max="1" value="${progress}" aria-label="Training done">${done}</progress>
<p>${done} done, ${where}${Number.isFinite(status.secondsLeft) && `, ${duration(status.secondsLeft)} left`}</p></div>`;
}

function figuresOf({ status, epochs, steps, evaluation }: TrainingReport): Html[] {
  const last = epochs.at(-1);
  const best = bestOf(epochs);
  const imagesPerSecond = last?.imagesPerSecond ?? steps.at(-1)?.imagesPerSecond;
  return [
    evaluation && figure(`Accuracy, ${evaluation.name ?? 'validation'} set`, percent(evaluation.accuracy)),
    best &&
      figure(
        'Validation accuracy',
        percent(last?.valAccuracy),
        `best ${percent(best.valAccuracy)} in epoch ${best.epoch}`,
      ),
    last?.valLoss !== undefined && figure('Validation loss', decimal(last.valLoss, 4), `after epoch ${last.epoch}`),
    last && figure('Training accuracy', percent(last.accuracy), `loss ${decimal(last.loss, 4)}`),
    figure(
      'Training time',
      duration(status.seconds),
      `${counted(status.step, 'step')}, ${counted(epochs.length, 'epoch')}`,
    ),
    imagesPerSecond !== undefined && figure('Speed', speed(imagesPerSecond), 'pictures per second'),
  ].filter((piece) => piece !== undefined && piece !== false);
}

function figure(name: string, value: string, more?: string): Html {
  return html`<div class="card"><dt>${name}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>
`;
}

function bestOf(epochs: readonly ReportEpoch[]): ReportEpoch | undefined {
  const validated = epochs.filter(({ valAccuracy }) => Number.isFinite(valAccuracy));
  return validated.toSorted((a, b) => b.valAccuracy! - a.valAccuracy!)[0];
}
