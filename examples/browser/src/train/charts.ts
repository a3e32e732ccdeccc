import uPlot from 'uplot';
import type { EpochReport } from '../protocol';
import type { CurvePoint } from './curve';

const HEIGHT = 180;

/** What a chart shows of a step, and of the pictures that are held back after an epoch. */
interface Chart {
  step: (point: CurvePoint) => number;
  held?: (report: EpochReport) => number;
  /** Where the line of the pictures that are held back is cut off, or its first epochs would flatten all else. */
  most?: (classes: number) => number;
}

const CHARTS: Record<string, Chart> = {
  // Who guesses blindly has a loss of log(classes).
  loss: { step: ({ loss }) => loss, held: ({ valLoss }) => valLoss, most: (classes) => 1.5 * Math.log(classes) },
  accuracy: { step: ({ accuracy }) => 100 * accuracy, held: ({ valAccuracy }) => 100 * valAccuracy },
  imagesPerSecond: { step: ({ imagesPerSecond }) => imagesPerSecond },
};

/** The curves of the page. */
export interface LiveCharts {
  /** Draws them anew, each in a frame of its own, so that none takes long. */
  draw(points: readonly CurvePoint[], epochs: readonly EpochReport[], classes: number): void;
}

export function createCharts(): LiveCharts {
  const places = [...document.querySelectorAll<HTMLElement>('[data-chart]')];
  const plots = new Map<HTMLElement, uPlot>();
  const dropPlots = () => {
    for (const plot of plots.values()) plot.destroy();
    plots.clear();
  };
  // Colours and widths are read when a plot is made.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dropPlots);
  let last: Parameters<LiveCharts['draw']> | undefined;
  let isDue = false;

  const drawFrom = (i: number) => {
    isDue = i < places.length;
    const place = places[i];
    if (!place || !last) return;
    if (place.clientWidth > 0) drawOne(place, plots, dataOf(CHARTS[place.dataset.chart!]!, ...last));
    requestAnimationFrame(() => drawFrom(i + 1));
  };
  const draw: LiveCharts['draw'] = (...shown) => {
    last = shown;
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => drawFrom(0));
  };
  const observer = new ResizeObserver(() => {
    if (last) draw(...last);
  });
  for (const place of places) observer.observe(place);
  return { draw };
}

function drawOne(place: HTMLElement, plots: Map<HTMLElement, uPlot>, data: uPlot.AlignedData): void {
  const plot = plots.get(place);
  if (!plot) {
    plots.set(place, new uPlot(optionsOf(CHARTS[place.dataset.chart!]!, place.clientWidth), data, place));
    return;
  }
  if (plot.width !== place.clientWidth) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  plot.setData(data);
}

function dataOf(chart: Chart, ...[points, epochs, classes]: Parameters<LiveCharts['draw']>): uPlot.AlignedData {
  const steps: uPlot.AlignedData = [points.map(({ epoch }) => epoch), points.map(chart.step)];
  if (!chart.held) return steps;
  const most = chart.most?.(classes) ?? Number.POSITIVE_INFINITY;
  const held = epochs.map((report) => Math.min(most, chart.held!(report)));
  return uPlot.join([steps, [epochs.map(({ epoch }) => epoch), held]]);
}

function optionsOf({ held }: Chart, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const line = (label: string, stroke: string, width: number, points: uPlot.Series.Points): uPlot.Series => ({
    ...{ label, stroke: colour(stroke), width, points, spanGaps: true },
  });
  return {
    width,
    height: HEIGHT,
    padding: [8, 10, 0, 0],
    scales: {
      x: { time: false, range: (_, _min, max) => [0, Math.ceil(max || 1)] },
      y: { range: { min: { pad: 0, soft: 0, mode: 1 }, max: { pad: 0.06 } } },
    },
    axes: [
      { ...axis, size: 24, incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500] },
      { ...axis, size: 46, values: (_, values) => values.map((value) => String(Number(value.toPrecision(4)))) },
    ],
    series: [
      { label: 'Epochs' },
      line('Training', '--training', 1.5, { show: false }),
      ...(held ? [line('Held back', '--validation', 2, { show: true, size: 6, fill: colour('--validation') })] : []),
    ],
    legend: { live: false, markers: { width: 0, fill: (_, i) => colour(i === 1 ? '--training' : '--validation') } },
    cursor: { show: false },
  };
}
