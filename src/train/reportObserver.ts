import { getBackend, version_core } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { version } from '../../package.json';
import { createReportWriter } from '../report/createReportWriter';
import { counted } from '../report/format';
import { reportPictures } from '../report/reportPictures';
import { createStepSampler } from '../report/stepSampler';
import type {
  ReportEvaluation,
  ReportMistake,
  ReportStatus,
  ReportTable,
  TrainingReport,
} from '../report/trainingReport';
import type { Schedule } from './learningRate';
import type { PreparedTrainingData } from './prepareTrainingData';
import { progressOf, type TrainingCourse } from './trainingCourse';
import type { TrainingObserver } from './trainingObserver';
import { isTfjsOptimizer } from './trainingSettings';

/** Three rows of five, as in the tutorial. */
const SAMPLES = 15;

/** Keeps the report of a training up to date in a folder. */
export async function reportObserver(
  dir: string,
  model: LayersModel,
  data: PreparedTrainingData,
  course: TrainingCourse,
): Promise<TrainingObserver> {
  const { state } = course;
  const writer = createReportWriter({ dir });
  const sampler = createStepSampler(state.sampled ? { sampled: state.sampled } : {});
  state.sampled = sampler.sampled;
  const samples = await reportPictures(data.dataset, evenIndices(data.dataset.size));
  const { classNames } = data.dataset;
  let secondsLeft = Number.NaN;
  // Of an earlier epoch, where some were trained without a report.
  const kept = course.settings.restoreBest ? state.bestEpoch : state.history.length;
  if (state.evaluated?.epoch !== kept) state.evaluated = undefined;
  let mistakes = once(() => mistakesOf(data, course));

  const report = async (status: Partial<ReportStatus>): Promise<TrainingReport> => ({
    title: `${model.name}: ${counted(data.dataset.size, 'picture')}, ${counted(classNames.length, 'class', 'classes')}`,
    status: {
      epoch: Math.max(state.history.length, state.batch > 0 ? state.epoch : 0),
      step: state.step,
      progress: progressOf(course),
      seconds: state.seconds,
      ...status,
    } as ReportStatus,
    time: Date.now(),
    classNames,
    samples,
    epochs: state.history,
    steps: sampler.sampled.points,
    evaluation: evaluationOf(course),
    mistakes: await mistakes(),
    settings: settingsOf(course),
    environment: environmentOf(course),
  });
  const running = () => report({ state: 'running', secondsLeft });

  return {
    async onBatch({ step, epoch, batch, batches, loss, accuracy, learningRate, imagesPerSecond, secondsLeft: left }) {
      secondsLeft = left;
      sampler.add({ step, epoch: epoch - 1 + batch / batches, loss, accuracy, learningRate, imagesPerSecond });
      await writer.offer(running);
    },
    async onEpoch({ epoch }, evaluated) {
      if (evaluated && (!course.settings.restoreBest || state.bestEpoch === epoch)) {
        state.evaluated = { epoch, pictures: data.validation!.size, ...evaluated };
        mistakes = once(() => mistakesOf(data, course));
      }
      await writer.offer(running);
    },
    async onEnd(error) {
      const stopped = error ?? (state.stoppedEarly ? 'Early stopping: no better epoch for long enough.' : undefined);
      const reason = stopped instanceof Error ? stopped.message : String(stopped);
      await writer.write(await report(stopped === undefined ? { state: 'finished' } : { state: 'stopped', reason }));
    },
  };
}

/** What `make` gives, made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Spread over the whole dataset, so that one in the order of its classes shows several. */
function evenIndices(size: number): number[] {
  const count = Math.min(SAMPLES, size);
  return Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
}

function evaluationOf({ state: { evaluated } }: TrainingCourse): ReportEvaluation | undefined {
  if (evaluated === undefined) return undefined;
  const { epoch, loss, accuracy, perClass, confusionMatrix } = evaluated;
  // A checkpoint, which is JSON, has null for the accuracy of a class without pictures.
  const classes = perClass.map((each) => ({ ...each, accuracy: each.accuracy ?? Number.NaN }));
  return { epoch, loss, accuracy, perClass: classes, confusionMatrix };
}

async function mistakesOf(
  { validation }: PreparedTrainingData,
  { state: { evaluated } }: TrainingCourse,
): Promise<ReportMistake[] | undefined> {
  // A training may go on with other pictures to validate with.
  if (validation === undefined || validation.size !== evaluated?.pictures) return undefined;
  const { mistakes } = evaluated;
  const pictures = await reportPictures(
    validation,
    mistakes.map(({ index }) => index),
  );
  return mistakes.map(({ label, predicted, probability }, i) => ({
    picture: pictures[i]!,
    label,
    predicted,
    probability,
  }));
}

/** What was asked for, and what the defaults made of the rest. */
function settingsOf({ settings, dataset, validation }: TrainingCourse): ReportTable {
  const { targets, optimizer, learningRate, onBatch, onEpoch, signal, control, ...rest } = settings;
  const shown = Object.entries({
    ...rest,
    // The state of tfjs's own is not to be shown, and large.
    optimizer: isTfjsOptimizer(optimizer) ? optimizer.getClassName() : optimizer,
    labelSmoothing: targets.labelSmoothing,
    classWeights: targets.classWeights,
  });
  return {
    'training pictures': dataset.size,
    'validation pictures': validation?.size ?? 0,
    learningRate: typeof learningRate === 'function' ? nameOf(learningRate) : learningRate,
    ...Object.fromEntries(shown.map(([name, value]) => [name, showValue(value)])),
  };
}

/** Those of `schedules` tell what they were asked for. */
const nameOf = ({ name }: Schedule) => (name.startsWith('schedules.') ? name : 'a function');

function showValue(value: unknown): string | number | boolean | undefined {
  // Without a limit, or nothing.
  if (value === Number.POSITIVE_INFINITY || (Array.isArray(value) && value.length === 0)) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : (value as string | number | boolean);
}

function environmentOf({ trainer: { info } }: TrainingCourse): ReportTable {
  return {
    'mobilenet-v1-ts': version,
    'tfjs-core': version_core,
    backend: getBackend(),
    engine: info.engine,
    module: info.module,
    threads: info.threads,
    megabytes: info.megabytes && Math.round(info.megabytes),
    fallbackReason: info.fallbackReason,
    ...platform.describe(),
  };
}
