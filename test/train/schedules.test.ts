import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/random';
import type { Schedule, TrainingPosition } from '../../src/train/learningRate';
import { sampleSchedule } from '../../src/train/sampleSchedule';
import { schedules } from '../../src/train/schedules';
import type { TrainingEpoch } from '../../src/train/trainingRecords';

const at = (progress: number, history: TrainingEpoch[] = []): TrainingPosition => ({
  step: 0,
  epoch: history.length + 1,
  progress,
  stepsPerEpoch: 1,
  history,
});

/** The rate at each of `steps` + 1 equal places from the first step to the end. */
const curve = (schedule: Schedule, steps: number) =>
  Array.from({ length: steps + 1 }, (_, i) => schedule(at(i / steps)));

const epoch = (record: Partial<TrainingEpoch>, i: number): TrainingEpoch => ({
  epoch: i + 1,
  loss: 1,
  accuracy: 0.1,
  valLoss: undefined,
  valAccuracy: undefined,
  learningRate: 1,
  imagesPerSecond: 1,
  seconds: 1,
  ...record,
});

function expectClose(received: readonly number[], expected: readonly number[]) {
  expect(received.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(received[i]).toBeCloseTo(value, 12);
}

describe('written out', () => {
  test.each<[string, Schedule, number[]]>([
    ['constant', schedules.constant({ rate: 0.1 }), [0.1, 0.1, 0.1, 0.1, 0.1]],
    ['step', schedules.step({ rate: 8, factor: 0.5, every: 0.5 }), [8, 8, 4, 4, 2]],
    ['piecewise', schedules.piecewise({ boundaries: [0.25, 0.75], rates: [1, 0.5, 0.1] }), [1, 0.5, 0.5, 0.1, 0.1]],
    ['linear', schedules.polynomial({ rate: 1 }), [1, 0.75, 0.5, 0.25, 0]],
    ['polynomial', schedules.polynomial({ rate: 1, final: 0.2, power: 2 }), [1, 0.65, 0.4, 0.25, 0.2]],
    ['cosine', schedules.cosine({ rate: 1 }), [1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2, 0]],
    ['exponential', schedules.exponential({ rate: 16, final: 1 }), [16, 8, 4, 2, 1]],
    ['one cycle', schedules.oneCycle({ rate: 1, peakAt: 0.5, warmupFrom: 0.2, final: 0.1 }), [0.2, 0.6, 1, 0.55, 0.1]],
    ['one cycle, cosine', schedules.oneCycle({ rate: 1, peakAt: 0.5, anneal: 'cosine' }), [0.01, 0.505, 1, 0.5, 0]],
    ['cosine after a warm-up', schedules.cosine({ rate: 1, warmup: 0.5, warmupFrom: 0.5 }), [0.5, 0.75, 1, 0.5, 0]],
    [
      'step under a warm-up',
      schedules.step({ rate: 8, every: 0.5, warmup: 0.25, warmupFrom: 0 }),
      [0, 8, 0.8, 0.8, 0.08],
    ],
  ])('%s', (_, schedule, expected) => {
    expectClose(curve(schedule, 4), expected);
  });

  test('stairs and boundaries lie at the steps where they are written', () => {
    const stairs = schedules.step({ rate: 1, factor: 0.5, every: 0.1 });
    const pieces = schedules.piecewise({ boundaries: [0.3, 0.7], rates: [3, 2, 1] });
    for (const steps of [10, 30, 70, 1000]) {
      for (let stair = 0; stair < 10; stair++) {
        const first = (stair * steps) / 10;
        expect(stairs(at(first / steps))).toBe(0.5 ** stair);
        if (stair > 0) expect(stairs(at((first - 1) / steps))).toBe(0.5 ** (stair - 1));
      }
      expect(pieces(at((steps * 3) / 10 / steps))).toBe(2);
      expect(pieces(at(((steps * 3) / 10 - 1) / steps))).toBe(3);
    }
  });
});

// What torch.optim.lr_scheduler 2.15 gives, step by step.
describe('as PyTorch', () => {
  test('OneCycleLR, linear', () => {
    const expected = [
      ...[0.004, 0.0232, 0.0424, 0.0616, 0.0808, 0.1, 0.09285717142857143, 0.08571434285714286, 0.0785715142857143],
      ...[0.07142868571428572, 0.06428585714285714, 0.05714302857142858, 0.0500002, 0.042857371428571434],
      ...[0.03571454285714286, 0.028571714285714284, 0.02142888571428571, 0.014286057142857148, 0.007143228571428573],
      3.999999999976245e-7,
    ];
    // total_steps 20, pct_start 0.3: there the sixth step has the largest rate, and the twentieth the last.
    const schedule = schedules.oneCycle({ rate: 0.1, peakAt: 5 / 19, warmupFrom: 1 / 25, final: 0.1 / 25 / 1e4 });
    expectClose(curve(schedule, 19), expected);
  });

  test('CosineAnnealingLR', () => {
    const expected = [
      ...[0.1, 0.09779754323328192, 0.09140576474687263, 0.08145033635316129, 0.06890576474687264, 0.055],
      ...[0.04109423525312737, 0.028549663646838717, 0.01859423525312737, 0.012202456766718092, 0.01],
    ];
    expectClose(curve(schedules.cosine({ rate: 0.1, final: 0.01 }), 10), expected);
  });

  test('PolynomialLR', () => {
    const expected = [0.1, 0.081, 0.064, 0.049, 0.036, 0.025, 0.016, 0.009, 0.004, 0.001, 0];
    expectClose(curve(schedules.polynomial({ rate: 0.1, power: 2 }), 10), expected);
  });

  test('MultiStepLR', () => {
    const expected = [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001];
    expectClose(curve(schedules.piecewise({ boundaries: [0.3, 0.7], rates: [0.1, 0.01, 0.001] }), 10), expected);
  });
});

// The formulas of keras.optimizers.schedules.
describe('as Keras', () => {
  const [rate, steps, warmupSteps] = [0.3, 40, 8];

  test('CosineDecay with a warm-up', () => {
    const [initial, alpha] = [0.03, 0.2];
    const keras = (step: number) => {
      if (step < warmupSteps) return initial + ((rate - initial) * step) / warmupSteps;
      const cosine = 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / (steps - warmupSteps)));
      return rate * ((1 - alpha) * cosine + alpha);
    };
    const schedule = schedules.cosine({ rate, warmup: 8 / 40, warmupFrom: initial / rate, final: alpha * rate });
    expectClose(
      curve(schedule, steps),
      Array.from({ length: steps + 1 }, (_, step) => keras(step)),
    );
  });

  test('PolynomialDecay and ExponentialDecay', () => {
    const end = 0.01;
    const polynomial = (step: number) => (rate - end) * (1 - step / steps) ** 1.5 + end;
    const exponential = (step: number) => rate * 0.96 ** (step / 5);
    const all = Array.from({ length: steps + 1 }, (_, step) => step);
    expectClose(curve(schedules.polynomial({ rate, final: end, power: 1.5 }), steps), all.map(polynomial));
    const final = rate * 0.96 ** (steps / 5);
    expectClose(curve(schedules.exponential({ rate, final }), steps), all.map(exponential));
  });

  // Made with ReduceLROnPlateau.on_epoch_end: the rate after each epoch.
  const flat = [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.9, 0.9, 0.9, 0.9, 0.7, 0.7];
  test.each([
    [
      'minDelta',
      { factor: 0.5, patience: 2, minDelta: 0.05, monitor: 'loss' },
      [1.04, 1.02, 0.99, 0.98, 0.87, 0.88, 0.56, 0.64, 0.73, 0.59, 0.62, 0.33, 0.39, 0.27],
      [1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125],
    ],
    [
      'cooldown',
      { factor: 0.5, patience: 2, minDelta: 0, cooldown: 2, monitor: 'valLoss' },
      flat,
      [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.125],
    ],
    [
      'minRate, and an accuracy that should rise',
      { factor: 0.5, patience: 1, minDelta: 0.01, cooldown: 1, minRate: 0.2, monitor: 'valAccuracy' },
      [0.43, 0.43, 0.89, 0.82, 0.47, 0.88, 0.62, 0.71, 0.42, 0.86, 0.71, 0.88, 0.84, 0.48],
      [1, 0.5, 0.5, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2],
    ],
  ] as const)('ReduceLROnPlateau: %s', (_, options, values, expected) => {
    const schedule = schedules.plateau({ rate: 1, ...options });
    const history = values.map((value, i) => epoch({ [options.monitor]: value }, i));
    expect(schedule(at(0))).toBe(1);
    expectClose(
      values.map((__, i) => schedule(at(0, history.slice(0, i + 1)))),
      expected,
    );
  });
});

describe('plateau', () => {
  test('looks at the validation where there is one, else at the loss', () => {
    const schedule = schedules.plateau({ rate: 1, factor: 0.5, patience: 1 });
    const rising = [1, 2].map((loss, i) => epoch({ loss }, i));
    expect(schedule(at(0, rising))).toBe(0.5);
    expect(
      schedule(
        at(
          0,
          rising.map((record, i) => ({ ...record, valLoss: 2 - i })),
        ),
      ),
    ).toBe(1);
  });

  test('epochs without validation do not count where that is watched; where it is not said, each kind is compared with its own', () => {
    const losses = [1, 1, 1].map((loss, i) => epoch({ loss }, i));
    const validated = [9, 8, 7].map((valLoss, i) => ({ ...epoch({ loss: 1 }, 3 + i), valLoss }));
    const options = { rate: 1, factor: 0.5, patience: 2 };
    const watching = schedules.plateau({ ...options, monitor: 'valLoss' });
    expect(watching(at(0, losses))).toBe(1);
    expect(watching(at(0, [...losses, ...validated]))).toBe(1);
    const usual = schedules.plateau(options);
    expect(usual(at(0, losses))).toBe(0.5);
    // Larger than the losses before, and better every time.
    expect(usual(at(0, [...losses, ...validated]))).toBe(0.5);
  });

  test('says so where what it should look at is not there', () => {
    const schedule = schedules.plateau({ rate: 1, monitor: 'valAccuracy' });
    const history = [epoch({}, 0)];
    expect(() => sampleSchedule(schedule, { steps: 2, history })).toThrow(/a history with valAccuracy, received none/);
  });
});

const all: [string, Schedule][] = [
  ['constant', schedules.constant({ rate: 0.4, warmup: 0.2 })],
  ['step', schedules.step({ rate: 0.4, every: 0.3, warmup: 0.2 })],
  ['piecewise', schedules.piecewise({ boundaries: [0.5], rates: [0.4, 0.2], warmup: 0.2 })],
  ['cosine', schedules.cosine({ rate: 0.4, final: 0.01, warmup: 0.2 })],
  ['polynomial', schedules.polynomial({ rate: 0.4, power: 3, warmup: 0.2 })],
  ['exponential', schedules.exponential({ rate: 0.4, final: 1e-4, warmup: 0.2 })],
  ['oneCycle', schedules.oneCycle({ rate: 0.4, peakAt: 0.2 })],
  ['plateau', schedules.plateau({ rate: 0.4, warmup: 0.2 })],
];

describe.each(all)('%s', (_, schedule) => {
  const seed = 11;
  test(`starts at a hundredth, rises to its rate, never exceeds it, and never rises again (seed ${seed})`, () => {
    const random = createRandom(seed);
    const places = Array.from({ length: 200 }, () => random.uniform()).sort((a, b) => a - b);
    expect(schedule(at(0))).toBeCloseTo(0.004, 12);
    expect(schedule(at(0.1))).toBeCloseTo((0.4 * (0.01 + 1)) / 2, 12);
    expect(schedule(at(0.2))).toBeCloseTo(0.4, 12);
    const rates = places.map((progress) => schedule(at(progress)));
    for (const [i, rate] of rates.entries()) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThanOrEqual(0.4 + 1e-15);
      if (i > 0 && places[i]! < 0.2) expect(rate).toBeGreaterThan(rates[i - 1]!);
      if (i > 0 && places[i - 1]! > 0.2) expect(rate).toBeLessThanOrEqual(rates[i - 1]!);
    }
  });

  test('stretches: the same share of any number of steps has the same rate', () => {
    const short = sampleSchedule(schedule, { steps: 16 });
    const long = sampleSchedule(schedule, { steps: 64 });
    expect(long.filter(({ step }) => step % 4 === 0).map(({ rate }) => rate)).toEqual(short.map(({ rate }) => rate));
  });
});

describe('sampleSchedule', () => {
  test('tells each step its place', () => {
    const seen: TrainingPosition[] = [];
    const history = [0, 1, 2].map((i) => epoch({}, i));
    const samples = sampleSchedule((position) => seen.push(position) / 10, { steps: 5, epochs: 3, history });
    expect(samples).toEqual([0, 1, 2, 3, 4].map((step) => ({ step, progress: step / 5, rate: (step + 1) / 10 })));
    expect(seen.map((position) => position.epoch)).toEqual([1, 1, 2, 2, 3]);
    expect(seen.map((position) => position.history.length)).toEqual([0, 0, 1, 1, 2]);
    expect(seen[0]).toMatchObject({ step: 0, progress: 0, stepsPerEpoch: 2 });
  });

  test('shows how a plateau reacts', () => {
    const history = [1, 1, 1, 1].map((loss, i) => epoch({ loss }, i));
    const schedule = schedules.plateau({ rate: 1, factor: 0.5, patience: 1 });
    const samples = sampleSchedule(schedule, { steps: 8, stepsPerEpoch: 2, history });
    expect(samples.map(({ rate }) => rate)).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]);
  });

  test('takes a number, and refuses rates that are none', () => {
    expect(sampleSchedule(0.5, { steps: 2 }).map(({ rate }) => rate)).toEqual([0.5, 0.5]);
    expect(() => sampleSchedule(() => Number.NaN, { steps: 2 })).toThrow(/^sampleSchedule: .* received NaN/);
    expect(() => sampleSchedule(() => -1, { steps: 2 })).toThrow(/at least 0/);
    expect(() => sampleSchedule(1, { steps: 0 })).toThrow(/steps/);
  });
});

test.each<[() => unknown, RegExp]>([
  [
    () => schedules.constant({ rate: -1 }),
    /schedules.constant: expected rate to be a number of at least 0, received -1/,
  ],
  [() => schedules.constant({ rate: Number.NaN }), /rate/],
  [() => schedules.constant({} as { rate: number }), /rate .* received undefined/],
  [() => schedules.constant({ rate: '1' as unknown as number }), /rate/],
  [() => schedules.cosine({ rate: 1, warmup: 1 }), /schedules.cosine: expected warmup to be in \[0, 1\)/],
  [() => schedules.cosine({ rate: 1, warmupFrom: 2 }), /warmupFrom/],
  [() => schedules.cosine({ rate: 1, final: -1 }), /final/],
  [() => schedules.step({ rate: 1, every: 0 }), /every/],
  [() => schedules.step({ rate: 1, every: 1.5 }), /every/],
  [() => schedules.step({ rate: 1, every: 1, factor: 0 }), /factor/],
  [() => schedules.polynomial({ rate: 1, power: 0 }), /power/],
  [() => schedules.exponential({ rate: 1, final: 0 }), /final/],
  [() => schedules.oneCycle({ rate: 1, peakAt: 1 }), /schedules.oneCycle: expected peakAt/],
  [() => schedules.oneCycle({ rate: 1, anneal: 'step' as 'linear' }), /anneal/],
  [() => schedules.piecewise({ boundaries: [0.5, 0.5], rates: [1, 2, 3] }), /rising/],
  [() => schedules.piecewise({ boundaries: [0], rates: [1, 2] }), /boundaries/],
  [() => schedules.piecewise({ boundaries: [0.5], rates: [1] }), /2 rates/],
  [() => schedules.piecewise({ boundaries: [0.5], rates: [1, -1] }), /rates/],
  [() => schedules.plateau({ rate: 1, factor: 1 }), /factor/],
  [() => schedules.plateau({ rate: 1, patience: 0 }), /patience/],
  [() => schedules.plateau({ rate: 1, cooldown: 0.5 }), /cooldown/],
  [() => schedules.plateau({ rate: 1, minDelta: -1 }), /minDelta/],
  [() => schedules.plateau({ rate: 1, minRate: -1 }), /minRate/],
  [() => schedules.plateau({ rate: 1, monitor: 'error' as 'loss' }), /monitor to be one of loss, accuracy/],
])('refuses %s', (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument', message: expect.stringMatching(message) }));
});
