import type { CourseState } from './trainingCourse';
import type { TrainingEpoch } from './trainingRecords';
import type { TrainingSettings } from './trainingSettings';

/**
 * The best epoch by what is monitored, and whether patience with those after it has run out. A value that is not finite is
 * never the best.
 */
export function judgeEpochs(
  history: readonly TrainingEpoch[],
  { monitor, earlyStopping }: Pick<TrainingSettings, 'monitor' | 'earlyStopping'>,
): Pick<CourseState, 'bestEpoch' | 'stoppedEarly'> {
  const { patience = 5, minDelta = 0 } = earlyStopping ?? {};
  const sign = monitor.endsWith('oss') ? -1 : 1;
  let best: { epoch: number; value: number } | undefined;
  let waited = 0;
  for (const record of history) {
    const value = record[monitor];
    // Before there was a validation set.
    if (value === undefined) continue;
    waited += 1;
    if (!Number.isFinite(value)) continue;
    if (best === undefined || sign * (value - best.value) > minDelta) {
      best = { epoch: record.epoch, value };
      waited = 0;
    }
  }
  return { bestEpoch: best?.epoch, stoppedEarly: earlyStopping !== undefined && waited >= patience };
}
