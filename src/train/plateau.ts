import { check, checkInteger, checkOptions } from '../errors';
import type { Schedule } from './learningRate';
import { MONITORS, type Monitor, type TrainingEpoch } from './trainingRecords';
import { atLeast0, between0And1, checkNumbers, WARM_UP_OPTIONS, type WarmUpOptions, warmUp } from './warmUp';

const WHERE = 'schedules.plateau';

/** Options for `schedules.plateau`; names and defaults are those of Keras's `ReduceLROnPlateau`. */
export interface PlateauOptions extends WarmUpOptions {
  rate: number;
  /** What the rate is multiplied by, in (0, 1). @default 0.1 */
  factor?: number | undefined;
  /** Epochs without a better value after which the rate falls. @default 10 */
  patience?: number | undefined;
  /** What counts as better: by more than this. @default 1e-4 */
  minDelta?: number | undefined;
  /** Losses should fall, accuracies rise. @default 'valLoss', or 'loss' without validation */
  monitor?: Monitor | undefined;
  /** The rate falls no further than this. @default 0 */
  minRate?: number | undefined;
  /** Epochs after a fall that are not counted. @default 0 */
  cooldown?: number | undefined;
}

type Settings = Required<Omit<PlateauOptions, keyof WarmUpOptions | 'monitor'>> & { monitor: Monitor | undefined };

/** See `schedules.plateau`. */
export function plateau(options: PlateauOptions): Schedule {
  // Here, as bundlers keep what is spread at the top of a file.
  checkOptions(WHERE, options, {
    rate: 'any',
    factor: 'any',
    patience: 'any',
    minDelta: 'any',
    monitor: 'any',
    minRate: 'any',
    cooldown: 'any',
    ...WARM_UP_OPTIONS,
  });
  const { rate, factor = 0.1, patience = 10, minDelta = 1e-4, monitor, minRate = 0, cooldown = 0 } = options;
  checkNumbers(
    WHERE,
    { rate, factor, minDelta, minRate },
    { rate: atLeast0, factor: between0And1, minDelta: atLeast0, minRate: atLeast0 },
  );
  checkInteger(WHERE, 'patience', patience, 1);
  checkInteger(WHERE, 'cooldown', cooldown, 0);
  check(monitor === undefined || MONITORS.includes(monitor), {
    where: WHERE,
    expected: `monitor to be one of ${MONITORS.join(', ')}`,
    received: monitor,
  });
  const settings = { rate, factor, patience, minDelta, monitor, minRate, cooldown };
  return Object.assign(
    warmUp(WHERE, options, (_, { history }) => rateAfter(history, settings)),
    { monitor },
  );
}

/** Keras's `ReduceLROnPlateau.on_epoch_end`, over all epochs so far. */
function rateAfter(history: readonly TrainingEpoch[], settings: Settings): number {
  const { factor, patience, minDelta, minRate, cooldown } = settings;
  let { rate } = settings;
  let best = Number.POSITIVE_INFINITY;
  let watched: Monitor | undefined;
  let waited = 0;
  let cooling = 0;
  for (const { name, value } of monitoredLosses(history, settings.monitor)) {
    // Validation was given, or left out, where the training went on: its losses are others.
    if (name !== watched) {
      best = Number.POSITIVE_INFINITY;
      watched = name;
    }
    if (cooling > 0) {
      cooling -= 1;
      waited = 0;
    }
    if (value < best - minDelta) {
      best = value;
      waited = 0;
    } else if (cooling === 0) {
      waited += 1;
      if (waited >= patience && rate > minRate) {
        rate = Math.max(rate * factor, minRate);
        cooling = cooldown;
        waited = 0;
      }
    }
  }
  return rate;
}

/** What should fall, of the epochs that have it: losses as they are, accuracies with their sign changed. */
function monitoredLosses(history: readonly TrainingEpoch[], monitor: Monitor | undefined) {
  return history.flatMap((epoch) => {
    const name = monitor ?? (epoch.valLoss === undefined ? 'loss' : 'valLoss');
    const value = epoch[name];
    return value === undefined ? [] : [{ name, value: name.endsWith('ccuracy') ? -value : value }];
  });
}
