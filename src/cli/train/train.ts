import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  createProgress,
  evaluateClassifier,
  saveModel,
  type TrainClassifierResult,
  trainClassifier,
} from '../../index';
import { EXIT, type ExitCode, isInterruption, print, printJson, type Session, say } from '../session';
import { isFolderOfPictures, loadPictures, type Pictures } from '../shared/datasets';
import { withProgressBar } from '../shared/progressBar';
import { grouped } from '../shared/text';
import { startTfjs } from '../shared/tfjs';
import { buildModel } from './buildModel';
import { type CheckpointPlace, checkpointPlace } from './checkpointPlace';
import { adviceOnFew } from './fewPictures';
import { leftBehind } from './leftBehind';
import { misplaced } from './misplaced';
import { pictureSize, trainingOf } from './network';
import { historyTable, summaryOf, summaryText } from './results';
import type { TrainOptions } from './trainOptions';

/** Trains, saves, and measures once on pictures that had no part in it, where there are any. */
export async function train(options: TrainOptions, session: Session): Promise<ExitCode> {
  const checkpoints = checkpointPlace(options);
  const isFolder = await isFolderOfPictures(options.data);
  const wrong = await misplaced(options, checkpoints, isFolder);
  if (wrong !== undefined) {
    say(session, `error: ${wrong}`);
    return EXIT.usage;
  }
  const left = await leftBehind(options, checkpoints, session);
  if (left !== undefined) {
    say(session, left);
    return EXIT.failure;
  }
  // A reader that leaves must not cost a night's training: the model is a file.
  session.outliveReader();
  await startTfjs();
  const size = isFolder ? pictureSize(options) : 32;
  if (!isFolder && options.size !== undefined) say(session, 'CIFAR-10 stays as it is, 32 x 32: --size is for folders.');
  const reading = { size: [size, size], channels: 3, fit: undefined, classNames: undefined } as const;
  const pictures = await loadPictures(options.data, reading, options.limit, session);
  session.signal.throwIfAborted();
  const model = await buildModel(options, pictures.train, session);
  try {
    return await trainOn(model, pictures, { options, size, isFolder, checkpoints, session });
  } finally {
    model.dispose();
  }
}

interface Training {
  options: TrainOptions;
  size: number;
  isFolder: boolean;
  checkpoints: CheckpointPlace;
  session: Session;
}

async function trainOn(model: LayersModel, pictures: Pictures, training: Training): Promise<ExitCode> {
  const { options, isFolder, checkpoints, session } = training;
  const { out, json } = options;
  const report = resolve(options.report ?? out, 'report.html');
  say(session, `${model.name}, ${grouped(model.countParams())} parameters; ${pictures.name}, ${describe(pictures)}`);
  const advice = isFolder && adviceOnFew(pictures.train, options);
  if (advice) say(session, advice);
  say(session, `Its report, while it trains and afterwards: ${pathToFileURL(report)}`);
  const result = await run(model, pictures, training);
  if (result === undefined) return EXIT.interrupted;

  await save(model, training);
  await checkpoints.tidy();
  say(session, `Saved to ${out}`);
  const test = pictures.test && (await measure(model, pictures.test, options, session));
  const summary = summaryOf({ model, pictures, result, options, test, report });
  if (json) printJson(session, summary);
  else print(session, `${historyTable(result.history)}\n${summaryText(summary)}`);
  return EXIT.ok;
}

/** Where the model cannot be saved, what was trained is still in the checkpoint of the last epoch. */
async function save(model: LayersModel, { options, checkpoints, session }: Training): Promise<void> {
  try {
    await saveModel(model, options.out);
  } catch (error) {
    const canGoOn = await checkpoints.isTaken();
    if (canGoOn) say(session, `Trained, but not saved. To try that again: ${checkpoints.goOn(session)}`);
    throw error;
  }
}

/** Undefined where it was interrupted. */
async function run(
  model: LayersModel,
  { train: dataset }: Pictures,
  { options, size, isFolder, checkpoints, session }: Training,
): Promise<TrainClassifierResult | undefined> {
  const { json, resume } = options;
  const validationSplit = options.validationSplit ?? defaultSplit(isFolder, dataset);
  const progress = createProgress({ stream: session.stderr });
  const onInterrupt = () => {
    progress.close();
    say(session, 'Stopping after this step. Ctrl-C again quits at once, without a checkpoint.');
  };
  session.signal.addEventListener('abort', onInterrupt);
  try {
    return await trainClassifier(model, dataset, {
      ...trainingOf(options, size),
      ...(validationSplit > 0 && { validationSplit }),
      checkpoint: { dir: checkpoints.folder },
      ...(resume !== undefined && { resume }),
      reportDir: options.report ?? options.out,
      // After Ctrl-C the bar would come back with the step at hand.
      onBatch: (batch) => (session.signal.aborted ? undefined : progress.onBatch(batch)),
      onEpoch(epoch) {
        progress.onEpoch(epoch);
        if (json) printJson(session, epoch);
      },
      signal: session.signal,
    });
  } catch (error) {
    if (!isInterruption(error, session)) throw error;
    const canGoOn = await checkpoints.isTaken();
    say(session, canGoOn ? `Stopped. To go on: ${checkpoints.goOn(session)}` : 'Stopped.');
    return undefined;
  } finally {
    session.signal.removeEventListener('abort', onInterrupt);
    progress.close();
  }
}

/** A folder has no other pictures to be measured with; of CIFAR-10's 50,000, few show how it goes. */
function defaultSplit(isFolder: boolean, { size, classNames, labels }: Pictures['train']): number {
  // Of classes with one picture each, none can be held back.
  if (isFolder) return new Set(labels).size < size ? 0.2 : 0;
  // Of fewer pictures, so small a share is not one of each class.
  return 0.02 * size >= classNames.length ? 0.02 : 0;
}

function measure(model: LayersModel, test: Pictures['train'], { threads }: TrainOptions, session: Session) {
  return withProgressBar(session, 'test pictures', (report) =>
    evaluateClassifier(model, test, {
      ...(threads !== undefined && { threads }),
      signal: session.signal,
      onBatch: ({ images, size }) => report(images, size),
    }),
  );
}

function describe({ train: { size, classNames }, test }: Pictures): string {
  const parts = test
    ? `${grouped(size)} training and ${grouped(test.size)} test pictures`
    : `${grouped(size)} pictures`;
  return `${parts} of ${classNames.length} classes`;
}
