import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { PreparedTrainingData } from './prepareTrainingData';
import { createProgress } from './progress';
import type { TrainingCourse } from './trainingCourse';
import type { TrainingObserver } from './trainingObserver';

/** All who look on as one: the report, what is shown, and the caller's hooks, in this order. */
export async function createObserver(
  model: LayersModel,
  data: PreparedTrainingData,
  course: TrainingCourse,
): Promise<Required<TrainingObserver>> {
  const { reportDir, progress = 'none', onBatch, onEpoch } = course.settings;
  const observers: TrainingObserver[] = [];
  if (reportDir !== undefined) {
    // Loaded on use: it brings a page and a chart library.
    const { reportObserver } = await import('./reportObserver');
    observers.push(await reportObserver(reportDir, model, data, course));
  }
  const shown = createProgress({ kind: progress });
  observers.push({ onBatch: shown.onBatch, onEpoch: shown.onEpoch, onEnd: shown.close });
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
