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

/** A tab that is closed loses no more steps than that, nor more than an epoch has. */
const MOST_STEPS_BETWEEN_CHECKPOINTS = 50;

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
      ...nothingLearned(),
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

export async function savedRun(): Promise<SavedRun | 'elsewhere' | undefined> {
  if (await isTraining()) return 'elsewhere';
  const record = await readRunRecord();
  if (!record) return undefined;
  const { title, settings, epochs, time } = record;
  return { title, settings, epochsDone: epochs.length, time };
}

export function discardRun(): Promise<void> {
  return unlessTraining(removeRun);
}

/** Resolves when no tab trains. */
export async function trainingElsewhereEnded(): Promise<void> {
  await navigator.locks.request(LOCK, () => {});
}

/** Takes no lock: a training that is started at the same moment would be refused. */
async function isTraining(): Promise<boolean> {
  if (!isSecureContext) return false;
  const { held } = await navigator.locks.query();
  return held!.some(({ name }) => name === LOCK);
}

/** Runs a training unless another tab has one. */
async function alone(train: (signal: AbortSignal) => Promise<RunEnd>): Promise<RunEnd> {
  stop = new AbortController();
  const { signal } = stop;
  const trained = () =>
    train(signal).catch((error): RunEnd => {
      if (signal.aborted && error === signal.reason) return { state: 'stopped', canContinue: false, isKept: false };
      throw error;
    });
  return unlessTraining(trained);
}

/** @throws where another tab trains */
async function unlessTraining<T>(act: () => Promise<T>): Promise<T> {
  // An insecure page has no locks, but then no files either.
  if (!isSecureContext) return act();
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) throw new Error('Another tab of this page is training. Stop it there first.');
    return act();
  });
}

/** What a training has come to before its first step. */
function nothingLearned(): Pick<RunRecord, 'epochs' | 'sampled'> {
  return { epochs: [], sampled: { points: [], stride: 1, inLast: 0 } };
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
  const resume = keep && (await hasCheckpoint());
  // Epochs whose weights are gone are trained anew.
  if (!resume) Object.assign(record, nothingLearned());
  let hasBegun = false;
  const onBegun = () => {
    hasBegun = true;
  };
  const model = buildNetwork({ alpha, classes: train.classNames.length, size: train.height }, seed);
  let state: RunEnd['state'] | undefined;
  let isKept = false;
  try {
    const samples = await pickSamples(validation);
    emit('runStart', {
      ...{ title, settings, samples, broken },
      ...{ resumed: resume, epochs: record.epochs, points: record.sampled.points },
      ...{ classNames: train.classNames, trainSize: train.size, validationSize: validation.size },
    });
    const curves = createRunCurves(record.sampled);
    state = await trainToEnd(model, pictures, { record, curves, samples, signal, resume, onBegun });
    if (keep) await writeRunRecord({ ...record, sampled: curves.sampled });
  } finally {
    // What it has learned is of use however it ended, but for an end within the first epoch; where a checkpoint was
    // refused it has learned nothing.
    if (hasBegun && record.epochs.length > 0) isKept = (await useModel(model, title)).isKept;
    else model.dispose();
  }
  // Not before its model is stored: until then the checkpoint is all that outlives the page.
  if (state === 'finished' && isKept) await removeRun();
  return { state, canContinue: keep && state === 'stopped', isKept };
}

interface TrainingParts {
  record: RunRecord;
  curves: RunCurves;
  samples: SamplePicture[];
  signal: AbortSignal;
  resume: boolean;
  /** Called, also more than once, when the model is past its fresh weights. */
  onBegun(): void;
}

async function trainToEnd(
  model: LayersModel,
  { train, validation }: RunPictures,
  { record, curves, samples, signal, resume, onBegun }: TrainingParts,
): Promise<RunEnd['state']> {
  const { kind, settings, seed } = record;
  const options = trainingOptions(kind, settings, { pictures: train.size, size: train.height, seed });
  const everySteps = Math.min(MOST_STEPS_BETWEEN_CHECKPOINTS, Math.ceil(train.size / options.batchSize));
  const keep = async () => {
    if (settings.keep) await writeRunRecord({ ...record, sampled: curves.sampled });
  };
  try {
    await trainClassifier(model, train, {
      ...options,
      ...(settings.keep && { checkpoint: { dir: CHECKPOINTS, everySteps } }),
      ...(resume && { resume: CHECKPOINTS }),
      signal,
      async onBatch(batch) {
        onBegun();
        curves.add(batch);
        if (batch.step % everySteps === 0) await keep();
      },
      async onEpoch(epoch) {
        onBegun();
        const report = await measureEpoch(model, epoch, { validation, samples });
        // A training that went back to its checkpoint comes to an epoch a second time.
        record.epochs = [...record.epochs.filter((before) => before.epoch < report.epoch), report];
        emit('runEpoch', report);
        await keep();
      },
    });
    onBegun();
    return 'finished';
  } catch (error) {
    if (signal.aborted && error === signal.reason) return 'stopped';
    throw error;
  }
}
