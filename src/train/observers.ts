import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { PreparedTrainingData } from './prepareTrainingData';
import { createProgress } from './progress';
import type { TrainingCourse } from './trainingCourse';
import type { TrainingObserver } from './trainingObserver';

/**
 * All who look on as one: what is shown, the report, and the caller's hooks, in this order, as a report that cannot be
 * written must not leave a bar behind.
 */
export async function createObserver(
  model: LayersModel,
  data: PreparedTrainingData,
  course: TrainingCourse,
): Promise<Required<TrainingObserver>> {
  const { reportDir, progress = 'none', onBatch, onEpoch } = course.settings;
  const shown = createProgress({ kind: progress });
  const observers: TrainingObserver[] = [{ onBatch: shown.onBatch, onEpoch: shown.onEpoch, onEnd: shown.close }];
  if (reportDir !== undefined) {
    // Loaded on use: it brings a page and a chart library.
    const { reportObserver } = await import('./reportObserver');
    observers.push(await reportObserver(reportDir, model, data, course));
  }
  observers.push({ ...(onBatch && { onBatch }), ...(onEpoch && { onEpoch: (epoch) => onEpoch(epoch) }) });
  return {
    async onBatch(batch) {
      for (const observer of observers) await observer.onBatch?.(batch);
    },
    async onEpoch(epoch, evaluation) {
      for (const observer of observers) await observer.onEpoch?.(epoch, evaluation);
    },
    async onEnd(error) {
      for (const observer of observers) await observer.onEnd?.(error);
    },
  };
}
