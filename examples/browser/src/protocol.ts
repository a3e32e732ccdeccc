import type { Classification, SampledSteps } from 'mobilenet-v1-ts';

// What the page and its worker say to each other: plain data, pictures as files or bitmaps.

/** Pictures of one class, as people gave them. */
export interface PictureClass {
  name: string;
  files: File[];
}

/** What a network is to learn from. */
export type PictureSource =
  | { kind: 'drawn' }
  /** Without an archive it comes from its official address. */
  | { kind: 'cifar10'; archive?: File }
  /** Resized to squares of `size` pixels. */
  | { kind: 'own'; classes: PictureClass[]; size: number };

export interface RunSettings {
  /** Width of the network. */
  alpha: number;
  epochs: number;
  /** Whether the training is written to this device, so that it can be resumed after the page was closed. */
  keep: boolean;
}

/** A network: its width, its outputs, and height and width of its pictures. */
export interface NetworkShape {
  alpha: number;
  classes: number;
  size: number;
}

/** A picture for a canvas: H x W x C bytes. */
export interface SamplePicture {
  data: Uint8Array;
  height: number;
  width: number;
  channels: number;
  /** Its class. */
  label: number;
}

/** What an epoch came to, all but `loss` and `accuracy` on the pictures that are held back. */
export interface EpochReport {
  /** From 1. */
  epoch: number;
  loss: number;
  accuracy: number;
  valLoss: number;
  valAccuracy: number;
  imagesPerSecond: number;
  /** `[true class][predicted class]`, in pictures. */
  confusionMatrix: number[][];
  /** What the network takes each of the samples for. */
  guesses: Classification[];
}

/** A training as it begins, or as it goes on. */
export interface RunStart {
  title: string;
  settings: RunSettings;
  classNames: readonly string[];
  trainSize: number;
  validationSize: number;
  /** Of the pictures that are held back. */
  samples: SamplePicture[];
  /** Whether it goes on from a checkpoint. */
  resumed: boolean;
  /** What it came to before. */
  epochs: EpochReport[];
  points: SampledSteps['points'];
  /** Pictures that could not be read and are left out. */
  broken: { file: string; reason: string }[];
}

/** Where a training stands after a step. */
export interface RunStep {
  /** Epochs done, with the share of the one under way. */
  epoch: number;
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
  /** In [0, 1]. */
  progress: number;
  secondsLeft: number;
}

export interface RunEnd {
  state: 'finished' | 'stopped';
  /** Whether it can go on. */
  canContinue: boolean;
  /** Whether its model is there at the next visit. */
  isKept: boolean;
}

/** A training that was interrupted, and can go on. */
export interface SavedRun {
  title: string;
  settings: RunSettings;
  epochsDone: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** The model that classifies. */
export interface ModelSummary {
  title: string;
  classNames: readonly string[];
  /** Height and width of the pictures that it sees. */
  size: number;
  parameters: number;
}

/** Models that were trained beforehand, on real photographs. */
export type Pretrained = 'cifar10' | 'imagenet';

/** What new classes are built on. */
export type TeachBase = 'current' | Pretrained;

export interface TeachRequest {
  base: TeachBase;
  classes: PictureClass[];
  /** Whether the classes that the base knows are kept. */
  keep: boolean;
}

export interface TeachResult {
  seconds: number;
  pictures: number;
  broken: { file: string; reason: string }[];
}

export type ExportFormat = 'tfjs' | 'onnx' | 'keras';

export interface Environment {
  isolated: boolean;
  threads: number;
}

/** What the page can ask of the worker. */
export interface WorkerMethods {
  environment(): Environment;
  /** Parameters of the network that would be trained. */
  countParameters(shape: NetworkShape): number;
  /** Loads the model of the last visit, or else the one that comes with the package. */
  openModel(): Promise<ModelSummary>;
  usePretrained(which: Pretrained): Promise<ModelSummary>;
  /** Takes `model.json` with its weights, or both in one zip. */
  loadModelFiles(files: File[]): Promise<ModelSummary>;
  exportModel(format: ExportFormat): Promise<File>;
  /** A figure like those that a network can be trained on, another one each time. */
  drawFigure(): SamplePicture;
  /** The most probable classes, of at most five. */
  classify(picture: Blob | ImageBitmap): Promise<Classification[]>;
  /** Resolves when the training has ended; events tell how it goes. */
  startRun(source: PictureSource, settings: RunSettings): Promise<RunEnd>;
  continueRun(): Promise<RunEnd>;
  stopRun(): void;
  /** 'elsewhere' while another tab trains. */
  savedRun(): Promise<SavedRun | 'elsewhere' | undefined>;
  trainingElsewhereEnded(): Promise<void>;
  discardRun(): Promise<void>;
  teach(request: TeachRequest): Promise<TeachResult>;
}

/** What the worker tells of its own accord. */
export interface WorkerEvents {
  /** Pictures or a model on their way; `total` where it is known. */
  loading: { what: string; done: number; total: number | undefined };
  runStart: RunStart;
  runStep: RunStep;
  runEpoch: EpochReport;
  /** Another model classifies from now on. */
  model: ModelSummary;
}

export type WorkerCall = {
  [Name in keyof WorkerMethods]: { id: number; method: Name; args: Parameters<WorkerMethods[Name]> };
}[keyof WorkerMethods];

export interface WorkerAnswer {
  id: number;
  result?: unknown;
  /** In place of a result. */
  error?: { message: string; code: string | undefined };
}

export type WorkerEvent = {
  [Name in keyof WorkerEvents]: { event: Name; detail: WorkerEvents[Name] };
}[keyof WorkerEvents];
