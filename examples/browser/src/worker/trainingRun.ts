import type { LayersModel } from '@tensorflow/tfjs-layers';
import { trainClassifier } from 'mobilenet-v1-ts';
import type { PictureSource, RunEnd, RunSettings, SamplePicture, SavedRun } from '../protocol';
import { measureEpoch, pickSamples } from './measureEpoch';
import { useModel } from './modelInUse';
import { buildNetwork, trainingOptions } from './network';
import { CHECKPOINTS, hasCheckpoint } from './privateFiles';
import { createRunCurves, type RunCurves } from './runCurves';
import { comeAgain, openPictures, type RunPictures, restorePictures, storePictures, titleOf } from './runPictures';
import { type RunRecord, readRunRecord, removeRun, writeRunRecord } from './runRecord';
import { emit } from './serve';

/** A tab that is closed loses no more steps than that. */
const STEPS_BETWEEN_CHECKPOINTS = 50;

/** Two tabs would write into one folder of checkpoints. */
const LOCK = 'live-page-training';

let stop = new AbortController();

export function startRun(source: PictureSource, settings: RunSettings): Promise<RunEnd> {
  return alone(async (signal) => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const pictures = await openPictures(source, { seed, signal });
    const record: RunRecord = {
      title: titleOf(source),
      kind: source.kind,
      hasPictures: !comeAgain(source),
      settings,
      seed,
      epochs: [],
      sampled: { points: [], stride: 1, inLast: 0 },
      time: Date.now(),
    };
    await removeRun();
    if (settings.keep && record.hasPictures) await storePictures(pictures);
    if (settings.keep) await writeRunRecord(record);
    return run(record, pictures, signal);
  });
}

export function continueRun(): Promise<RunEnd> {
  return alone(async (signal) => {
    const record = await readRunRecord();
    const pictures = record && (await picturesOf(record, signal));
    if (!record || !pictures) throw new Error('There is no training here to go on with. Start a new one.');
    return run(record, pictures, signal);
  });
}

export function stopRun(): void {
  stop.abort();
}

export async function savedRun(): Promise<SavedRun | undefined> {
  const record = await readRunRecord();
  if (!record) return undefined;
  const { title, settings, epochs, time } = record;
  return { title, settings, epochsDone: epochs.length, time };
}

export const discardRun = removeRun;

/** Runs a training unless another tab has one. */
async function alone(train: (signal: AbortSignal) => Promise<RunEnd>): Promise<RunEnd> {
  stop = new AbortController();
  const { signal } = stop;
  const trained = () =>
    train(signal).catch((error): RunEnd => {
      if (signal.aborted && error === signal.reason) return { state: 'stopped', canContinue: false };
      throw error;
    });
  // An insecure page has no locks, but then no files either.
  if (!isSecureContext) return trained();
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) throw new Error('Another tab of this page is training. Stop it there first.');
    return trained();
  });
}

async function picturesOf(
  { kind, hasPictures, seed }: RunRecord,
  signal: AbortSignal,
): Promise<RunPictures | undefined> {
  if (hasPictures) return restorePictures();
  return kind === 'own' ? undefined : openPictures({ kind }, { seed, signal });
}

async function run(record: RunRecord, pictures: RunPictures, signal: AbortSignal): Promise<RunEnd> {
  const { settings, seed, title } = record;
  const { train, validation, broken } = pictures;
  const { alpha, keep } = settings;
  const model = buildNetwork({ alpha, classes: train.classNames.length, size: train.height }, seed);
  try {
    const samples = await pickSamples(validation);
    const resume = keep && (await hasCheckpoint());
    emit('runStart', {
      ...{ title, settings, samples, broken },
      ...{ resumed: resume, epochs: record.epochs, points: record.sampled.points },
      ...{ classNames: train.classNames, trainSize: train.size, validationSize: validation.size },
    });
    const curves = createRunCurves(record.sampled);
    const state = await trainToEnd(model, pictures, { record, curves, samples, signal, resume });
    if (state === 'finished') await removeRun();
    else if (keep) await writeRunRecord({ ...record, sampled: curves.sampled });
    return { state, canContinue: keep && state === 'stopped' };
  } finally {
    // What it has learned is of use however it ended, but for an end within the first epoch.
    if (record.epochs.length > 0) await useModel(model, title);
    else model.dispose();
  }
}

interface TrainingParts {
  record: RunRecord;
  curves: RunCurves;
  samples: SamplePicture[];
  signal: AbortSignal;
  resume: boolean;
}

async function trainToEnd(
  model: LayersModel,
  { train, validation }: RunPictures,
  { record, curves, samples, signal, resume }: TrainingParts,
): Promise<RunEnd['state']> {
  const { kind, settings, seed } = record;
  const keep = async () => {
    if (settings.keep) await writeRunRecord({ ...record, sampled: curves.sampled });
  };
  try {
    await trainClassifier(model, train, {
      ...trainingOptions(kind, settings, { pictures: train.size, size: train.height, seed }),
      ...(settings.keep && { checkpoint: { dir: CHECKPOINTS, everySteps: STEPS_BETWEEN_CHECKPOINTS } }),
      ...(resume && { resume: CHECKPOINTS }),
      signal,
      async onBatch(batch) {
        curves.add(batch);
        if (batch.step % STEPS_BETWEEN_CHECKPOINTS === 0) await keep();
      },
      async onEpoch(epoch) {
        const report = await measureEpoch(model, epoch, { validation, samples });
        // A training that went back to its checkpoint comes to an epoch a second time.
        record.epochs = [...record.epochs.filter((before) => before.epoch < report.epoch), report];
        emit('runEpoch', report);
        await keep();
      },
    });
    return 'finished';
  } catch (error) {
    if (signal.aborted && error === signal.reason) return 'stopped';
    throw error;
  }
}
