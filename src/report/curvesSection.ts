import { curvesOf } from './curves';
import { decimal, percent, significant, speed } from './format';
import { embeddedJson, type Html, html } from './html';
import type { ReportEpoch, TrainingReport } from './trainingReport';

/** A chart, and what it says in words, for who does not see it. */
type Chart = [id: string, title: string, words: string];

/** The curves, drawn by the page's script from numbers that lie beside them; nothing before the first step. */
export function curvesSection(report: TrainingReport): Html | undefined {
  const { epochs, steps } = report;
  const last = epochs.at(-1) ?? steps.at(-1);
  if (last === undefined) return undefined;
  const { valLoss, valAccuracy }: Partial<ReportEpoch> = epochs.at(-1) ?? {};
  const validation = (value: string, known: number | undefined) =>
    known === undefined ? '' : `, on the validation set ${value}`;
  const charts: Chart[] = [
    ['loss', 'Loss', `${decimal(last.loss, 4)}${validation(decimal(valLoss, 4), valLoss)}`],
    ['accuracy', 'Accuracy', `${percent(last.accuracy)}${validation(percent(valAccuracy), valAccuracy)}`],
    ['learningRate', 'Learning rate', significant(last.learningRate)],
    ['imagesPerSecond', 'Pictures per second', speed(last.imagesPerSecond)],
  ];
  return html`<section aria-labelledby="curves">
<h2 id="curves">Curves</h2>
<noscript><p class="note">The curves are drawn by a script, which is switched off here; the table of epochs has their numbers.</p></noscript>
<div class="charts">${charts.map(chartFigure)}</div>
<script type="application/json" id="curve-data">${embeddedJson(curvesOf(report))}</script>
</section>`;
}

function chartFigure([id, title, words]: Chart): Html {
  return html`<figure class="chart card"><figcaption>${title}<span class="hidden">, last: ${words}</span></figcaption><div data-chart="${id}"></div></figure>
`;
}

/** The numbers of every epoch; nothing before the end of the first. */
export function epochsSection({ epochs }: TrainingReport): Html | undefined {
  if (epochs.length === 0) return undefined;
  const rows = epochs.map(
    (e) =>
      html`<tr><th scope="row">${e.epoch}</th><td>${decimal(e.loss, 4)}</td><td>${percent(e.accuracy)}</td><td>${decimal(e.valLoss, 4)}</td><td>${percent(e.valAccuracy)}</td><td>${significant(e.learningRate)}</td><td>${speed(e.imagesPerSecond)}</td><td>${decimal(e.seconds, 1)}</td></tr>
`,
  );
  return html`<section aria-labelledby="epochs">
<h2 id="epochs">Epochs</h2>
<div class="scroll tall card" role="region" aria-label="Epochs" tabindex="0">
<table class="epochs">
<caption class="hidden">Loss, accuracy, learning rate and speed of each epoch</caption>
<thead><tr><th scope="col">Epoch</th><th scope="col">Loss</th><th scope="col">Accuracy</th><th scope="col">Validation loss</th><th scope="col">Validation accuracy</th><th scope="col">Learning rate</th><th scope="col">Pictures/s</th><th scope="col">Seconds</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>
</section>`;
}
