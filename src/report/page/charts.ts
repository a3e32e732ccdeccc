import uPlot from 'uplot';
import type { Curves } from '../curves';

const HEIGHT = 220;

/** Beyond so many epochs, a line alone is clearer than one with a point for each. */
const MOST_POINTS = 40;

/** One line of a chart: a column of the curves, under a name, in a colour of the style sheet. */
interface Line {
  /** `'finest'`: of steps, or of epochs where nothing within them was kept. */
  from: 'steps' | 'epochs' | 'finest';
  column: string;
  label: string;
  colour: string;
  width: number;
}

/** The epochs done at each point, then a column for each line. */
type Aligned = [number[], ...(number | null | undefined)[][]];

const number = (digits: number) => (value: number) => String(Number(value.toPrecision(digits)));
const percent = (value: number) => `${number(4)(100 * value)} %`;
/** 0.02, and 5e-6: as many zeros do not fit beside an axis. */
const rate = (value: number) => {
  const text = number(3)(value);
  return value > 0 && value < 1e-3 ? Number(text).toExponential() : text;
};

const batches = (column: string): Line => ({ from: 'steps', column, label: 'Batches', colour: '--batches', width: 1 });
const training = (column: string): Line => ({
  from: 'epochs',
  column,
  label: 'Training',
  colour: '--training',
  width: 2,
});
const validation = (column: string): Line => ({
  from: 'epochs',
  column,
  label: 'Validation',
  colour: '--validation',
  width: 2,
});

/** A chart's lines, how its numbers are written, and where its axis ends. */
interface Chart {
  lines: Line[];
  format: (value: number) => string;
  end?: uPlot.Range.Limit;
}

const CHARTS: Record<string, Chart> = {
  loss: { lines: [batches('loss'), training('loss'), validation('valLoss')], format: number(4) },
  accuracy: {
    lines: [batches('accuracy'), training('accuracy'), validation('valAccuracy')],
    format: percent,
    // Of a single value uPlot makes an axis twice as long; of 0 one to 100.
    end: { hard: 1, soft: 0.1, mode: 1 },
  },
  learningRate: {
    lines: [{ ...training('learningRate'), from: 'finest', label: 'Learning rate' }],
    format: rate,
  },
  imagesPerSecond: {
    lines: [{ ...training('imagesPerSecond'), from: 'finest', label: 'Pictures/s' }],
    format: number(4),
  },
};

/** Draws every chart of the page, again where its colours or its width change. */
export function drawCharts(): void {
  const element = document.querySelector('#curve-data');
  if (element === null) return;
  const curves: Curves = JSON.parse(element.textContent!);
  const places = [...document.querySelectorAll<HTMLElement>('[data-chart]')];
  let plots: uPlot[] = [];
  const draw = () => {
    for (const plot of plots) plot.destroy();
    plots = places.map((place) => drawChart(place, curves));
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  const observer = new ResizeObserver(() => {
    for (const [i, place] of places.entries()) plots[i]!.setSize({ width: place.clientWidth, height: HEIGHT });
  });
  for (const place of places) observer.observe(place);
}

function drawChart(place: HTMLElement, curves: Curves): uPlot {
  const chart = place.dataset.chart!;
  const { lines, format } = CHARTS[chart]!;
  const data = alignLines(curves, lines);
  const drawn = lines.filter((_, i) => data[i + 1]!.some((value) => value != null));
  const used: Aligned = [data[0], ...lines.flatMap((line, i) => (drawn.includes(line) ? [data[i + 1]!] : []))];
  return new uPlot(optionsOf(place.clientWidth, drawn, format, rangeOf(chart), used), used, place);
}

/** The epochs done, and one column a line; undefined where a line has no point there. */
export function alignLines(curves: Curves, lines: Line[]): Aligned {
  const tables = lines.map(({ from, column }): uPlot.AlignedData => {
    const isOfEpochs = from === 'epochs' || (from === 'finest' && curves.steps.epoch.length === 0);
    const columns: Curves['epochs' | 'steps'] = isOfEpochs ? curves.epochs : curves.steps;
    return [columns.epoch as number[], columns[column as 'loss']];
  });
  return uPlot.join(tables) as Aligned;
}

/** From 0, or from the least value where that is below, to a little above the greatest. */
export function rangeOf(chart: string): uPlot.Range.Config {
  return { min: { pad: 0, soft: 0, mode: 1 }, max: { pad: 0.06, ...CHARTS[chart]!.end } };
}

function optionsOf(
  width: number,
  lines: Line[],
  format: (value: number) => string,
  range: uPlot.Range.Config,
  data: Aligned,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: false, range: (_, min, max) => [min <= (data[0][0] ?? 0) ? 0 : min, max] },
      y: { range },
    },
    axes: [
      { ...axis, label: 'epochs', labelSize: 18, labelFont: axis.font!, size: 28, incrs: EPOCH_STEPS },
      { ...axis, size: 58, values: (_, values) => values.map(format) },
    ],
    series: [
      { label: 'Epochs', value: (_, value) => number(4)(value ?? lastOf(data[0])) },
      ...lines.map((line, i): uPlot.Series => {
        const values = data[i + 1]!;
        const points = values.filter((value) => value != null).length;
        return {
          label: line.label,
          stroke: colour(line.colour),
          width: line.width,
          spanGaps: true,
          points: { show: points <= (line.width > 1 ? MOST_POINTS : 1), size: 6, fill: colour(line.colour) },
          value: (_, value) => format(value ?? lastOf(values)),
        };
      }),
    ],
    legend: { markers: { width: 0, fill: (_, i) => colour(lines[i - 1]!.colour) } },
    cursor: { sync: { key: 'epochs' }, y: false, points: { size: 7 } },
  };
}

/** Distances between the marks of the axis. */
const EPOCH_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

function lastOf(values: (number | null | undefined)[]): number {
  return values.findLast((value) => value != null) ?? Number.NaN;
}
