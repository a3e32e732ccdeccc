import { curvesSection, epochsSection } from './curvesSection';
import { evaluationSection } from './evaluationSection';
import { Html, html } from './html';
import { mistakesSection, samplesSection } from './pictureSections';
import { statusSection } from './statusSection';
import type { ReportTable, TrainingReport } from './trainingReport';

/** How often a page of a running training loads itself anew. */
const RELOAD_SECONDS = 5;

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
  const { pageScript, pageStyle, contentSecurityPolicy } = await import('./reportPage.generated');
  const isRunning = report.status.state === 'running';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="mobilenet-v1-ts">
${isRunning && html`<meta http-equiv="refresh" content="${RELOAD_SECONDS}">`}
<title>${report.title}</title>
<link rel="icon" href="data:,">
<style>${new Html(pageStyle)}</style>
</head>
<body data-state="${report.status.state}">
<main>
${statusSection(report)}
${curvesSection(report)}
${samplesSection(report)}
${evaluationSection(report)}
${mistakesSection(report)}
${epochsSection(report)}
<div class="columns">
${tableSection('settings', 'Settings', report.settings)}
${tableSection('environment', 'Environment', report.environment)}
</div>
</main>
<footer>Written by mobilenet-v1-ts. Charts: uPlot, MIT licence.</footer>
<script>${new Html(pageScript)}</script>
</body>
</html>
`.text;
}

function tableSection(id: string, title: string, table: ReportTable): Html | undefined {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return undefined;
  const rows = entries.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${String(value ?? '–')}</td></tr>
`,
  );
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<table class="values card">
<caption class="hidden">${title}</caption>
<tbody>
${rows}</tbody>
</table>
</section>`;
}
