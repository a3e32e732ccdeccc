import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type Classification,
  type Classifier,
  createClassifier,
  getModelMetadata,
  loadModel,
  saveModel,
} from 'mobilenet-v1-ts';
import type { ModelSummary, Pretrained } from '../protocol';
import { openPretrained, PRETRAINED_TITLES } from './pretrained';
import { emit } from './serve';
import { unpackModel } from './unpackModel';

/** Where the model waits for the next visit. */
const STORE = 'indexeddb://live-page-model';

let inUse: { model: LayersModel; classifier: Classifier; summary: ModelSummary } | undefined;

export async function openModel(): Promise<ModelSummary> {
  try {
    const stored = await io.listModels();
    if (STORE in stored) return await adopt(await loadModel(STORE));
  } catch {
    // Half written, by another version, or nothing may be stored here: the page works all the same.
  }
  return usePretrained('cifar10');
}

export async function usePretrained(which: Pretrained): Promise<ModelSummary> {
  return useModel(await openPretrained(which), PRETRAINED_TITLES[which]);
}

export async function loadModelFiles(files: File[]): Promise<ModelSummary> {
  const model = await loadModel(await unpackModel(files));
  try {
    return await useModel(model, titleOf(model) ?? files[0]!.name);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Makes a model the one that classifies, and keeps it for the next visit; it belongs to this module then. */
export async function useModel(model: LayersModel, title: string): Promise<ModelSummary> {
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), title });
  const summary = await adopt(model);
  // Where nothing can be stored it is there for this visit only.
  await saveModel(model, STORE).catch(() => {});
  return summary;
}

export function modelInUse(): { model: LayersModel; summary: ModelSummary } {
  if (!inUse) throw new Error('The model is not loaded yet. Wait a moment, then try again.');
  return inUse;
}

export async function classify(picture: Blob | ImageBitmap): Promise<Classification[]> {
  modelInUse();
  try {
    return await inUse!.classifier.classify(picture);
  } finally {
    if (picture instanceof ImageBitmap) picture.close();
  }
}

async function adopt(model: LayersModel): Promise<ModelSummary> {
  // First of all: what cannot classify (other inputs, other outputs) does not take the place of what can.
  const classifier = await createClassifier(model);
  const before = inUse;
  const summary: ModelSummary = {
    title: titleOf(model) ?? 'A model',
    classNames: classifier.classNames,
    size: model.inputs[0]!.shape[1] ?? getModelMetadata(model).inputShape![0],
    parameters: model.countParams(),
  };
  inUse = { model, classifier, summary };
  await before?.classifier.dispose();
  before?.model.dispose();
  emit('model', summary);
  return summary;
}

/** What this page has called it; other programs' models have no title. */
function titleOf(model: LayersModel): string | undefined {
  const { title } = (model.getUserDefinedMetadata() ?? {}) as { title?: string };
  return title;
}
