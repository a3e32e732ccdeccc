import { curvesSection, epochsSection } from './curvesSection';
import { evaluationSection } from './evaluationSection';
import { Html, html } from './html';
import { mistakesSection, samplesSection } from './pictureSections';
import { contentSecurityPolicy, pageScript, pageStyle } from './reportPage.generated';
import { statusSection } from './statusSection';
import type { ReportTable, TrainingReport } from './trainingReport';

/** How often a page of a running training loads itself anew. */
const RELOAD_SECONDS = 5;

/** The page of {@link trainingReportHtml}. */
export function reportHtml(report: TrainingReport): string {
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
