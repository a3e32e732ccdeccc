// What runs in the page: trainings through the library's sources, each of which gives plain values back to the test.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  createTrainingControl,
  evaluateClassifier,
  reportPictures,
  syntheticCifar10,
  type TrainClassifierOptions,
  trainClassifier,
  trainingReportHtml,
} from '../../src/index';
import { smallModel, trainOnFolder, weightsOf } from './trainingModel';

const { train, test } = syntheticCifar10({ train: 40, test: 20, seed: 2 });

/** Five steps an epoch, and all that a checkpoint has to keep. */
const everything: TrainClassifierOptions = {
  epochs: 3,
  batchSize: 8,
  seed: 5,
  threads: 2,
  optimizer: 'adamw',
  learningRate: ({ progress, history }) => 0.01 * (1 - progress) + 0.001 * history.length,
  clipNorm: 1,
  emaDecay: 0.9,
  augment: { crop: { padding: 2 }, flip: 'alternating' },
  mixup: 0.3,
  validation: test,
  restoreBest: true,
};

/** Where a training stands still until its page is gone: after a step, or within the next checkpoint from then on. */
interface Hold {
  step: number;
  where: 'after' | 'within the checkpoint';
}

const never = new Promise<never>(() => {});

/** Trains to the end, and tells the bits that came out; or to where it stands still. */
async function run(
  engine: 'fused' | 'tfjs',
  { dir, resume = false, hold }: { dir?: string; resume?: boolean; hold?: Hold } = {},
) {
  await tf.setBackend('cpu');
  const model = smallModel({ dropout: 0.3 });
  const steps: number[] = [];
  let standStill = () => {};
  const still = new Promise<void>((resolve) => {
    standStill = resolve;
  });
  const training = trainClassifier(model, train, {
    ...everything,
    engine,
    ...(dir !== undefined && { checkpoint: { dir, everySteps: 3 } }),
    ...(dir !== undefined && resume && { resume: dir }),
    async onBatch({ step }) {
      steps.push(step);
      if (step !== hold?.step) return;
      if (hold.where === 'within the checkpoint') return holdSecondFile(standStill);
      standStill();
      await never;
    },
  });
  const result = await Promise.race([training, still]);
  if (!result) return { first: steps[0], last: steps.at(-1) };
  const { history, threads, resumedFrom } = result;
  const figures = history.map(({ loss, accuracy, valLoss }) => [loss, accuracy, valLoss]);
  const digest = await digestOf(new Blob([...weightsOf(model), JSON.stringify(figures)] as BlobPart[]));
  model.dispose();
  return { first: steps[0], last: steps.at(-1), engine: result.engine, threads, resumedFrom, digest };
}

/** Of the two files that are closed next, the first is there then, and the second never. */
function holdSecondFile(standStill: () => void): void {
  const { prototype } = FileSystemWritableFileStream;
  const { close } = prototype;
  let files = 0;
  prototype.close = function () {
    if (++files === 1) return close.call(this);
    standStill();
    return never;
  };
}

async function digestOf(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What lies in a folder of the origin private file system, sorted. */
async function names(dir: string): Promise<string[]> {
  let folder = await navigator.storage.getDirectory();
  for (const name of dir.split('/')) folder = await folder.getDirectoryHandle(name);
  const found: string[] = [];
  for await (const name of folder.keys()) found.push(name);
  return found.sort();
}

/** The losses of six small steps, and by how many tensors tfjs then holds more than before. */
async function trainOn(backend: string, options: TrainClassifierOptions) {
  await tf.setBackend(backend);
  await tf.ready();
  const before = tf.memory().numTensors;
  const model = smallModel();
  const losses: number[] = [];
  await trainClassifier(model, train, {
    epochs: 1,
    batchSize: 7,
    seed: 3,
    engine: 'tfjs',
    validation: test,
    ...options,
    onBatch: ({ loss }) => void losses.push(loss),
    onEpoch: ({ valLoss }) => void losses.push(valLoss!),
  });
  model.dispose();
  return { backend: tf.getBackend(), losses, left: tf.memory().numTensors - before };
}

/** What the buttons of the page have done so far. */
const state = { steps: 0, paused: false, ended: '' };

/** Begins a training that does not end by itself, with buttons that pause, resume and stop it. */
async function start(engine: 'fused' | 'tfjs'): Promise<void> {
  await tf.setBackend('cpu');
  const model = smallModel();
  const control = createTrainingControl();
  const stop = new AbortController();
  Object.assign(state, { steps: 0, paused: false, ended: '' });
  const press = { pause: () => control.pause(), resume: () => control.resume(), stop: () => stop.abort() };
  const buttons = Object.entries(press).map(([name, onclick]) => {
    const button = Object.assign(document.createElement('button'), { textContent: name });
    button.onclick = () => {
      onclick();
      state.paused = control.paused;
    };
    return button;
  });
  document.body.replaceChildren(...buttons);
  trainClassifier(model, train, {
    ...everything,
    epochs: 1_000_000,
    engine,
    control,
    signal: stop.signal,
    onBatch: ({ step }) => {
      state.steps = step;
    },
  }).then(
    () => Object.assign(state, { ended: 'by itself' }),
    (error: Error) => Object.assign(state, { ended: error.name }),
  );
}

/** What `start` has come to; the page has drawn so many frames since the call. */
async function look(frames: number): Promise<typeof state> {
  for (let i = 0; i < frames; i++) await new Promise(requestAnimationFrame);
  return { ...state };
}

/** Trains, and shows the report in a frame of this page. */
async function showReport(): Promise<string> {
  await tf.setBackend('cpu');
  const model = smallModel();
  const { history, steps, seconds } = await trainClassifier(model, train, { ...everything, epochs: 2 });
  const evaluation = await evaluateClassifier(model, test);
  model.dispose();
  const page = await trainingReportHtml({
    title: 'Trained in a browser',
    status: { state: 'finished', epoch: 2, step: steps, progress: 1, seconds },
    time: Date.now(),
    classNames: train.classNames,
    samples: await reportPictures(train, [0, 1, 2, 3, 4]),
    epochs: history,
    steps: [],
    evaluation,
    settings: { epochs: 2 },
    environment: {},
  });
  const address = URL.createObjectURL(new Blob([page], { type: 'text/html' }));
  const frame = Object.assign(document.createElement('iframe'), { src: address });
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.replaceChildren(frame);
  await loaded;
  return address;
}

/** An input for a folder of pictures. */
function askForFolder(): void {
  const input = Object.assign(document.createElement('input'), { type: 'file', webkitdirectory: true });
  document.body.replaceChildren(input);
}

/** As `trainOnFolder`, on what people have chosen. */
async function trainOnChosen(options: TrainClassifierOptions): Promise<number[]> {
  await tf.setBackend('cpu');
  return trainOnFolder(document.querySelector('input')!.files!, options);
}

/** What comes of a training that is to write a report: whether weights moved, and the error. */
async function trainWithReportDir() {
  await tf.setBackend('cpu');
  const model = smallModel();
  const before = weightsOf(model).map((values) => values.slice());
  const error = await trainClassifier(model, train, { ...everything, reportDir: 'report' }).then(
    () => undefined,
    (error) => error,
  );
  const after = weightsOf(model);
  const moved = before.some((values, i) => values.some((value, k) => value !== after[i]![k]));
  model.dispose();
  return { moved, code: error?.code, message: error?.message as string | undefined };
}

/** Whether the machine offers a WebGPU adapter. */
async function hasWebgpu(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return Boolean(await gpu?.requestAdapter());
}

const training = {
  run,
  names,
  trainOn,
  start,
  look,
  showReport,
  askForFolder,
  trainOnChosen,
  trainWithReportDir,
  hasWebgpu,
};
export type TrainingPage = typeof training;
Object.assign(window, { training });
