import { drawCharts } from './charts';
import { paintPictures } from './pictures';

// What runs in the page of a report; scripts/buildReport.mjs bundles it with the chart library.

/** A running training that has written nothing for so long has probably been killed. */
const STALE_MS = 120_000;

paintPictures();
drawCharts();
tellTime();

/** The time of the report as the reader's place has it. */
function tellTime(): void {
  const element = document.querySelector('time')!;
  const time = new Date(element.dateTime);
  element.textContent = time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  const isStale = document.body.dataset.state === 'running' && Date.now() - time.getTime() > STALE_MS;
  document.querySelector<HTMLElement>('#stale')!.hidden = !isStale;
}
