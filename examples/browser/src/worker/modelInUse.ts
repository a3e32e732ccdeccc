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

let inUse: { model: LayersModel; classifier: Classifier; summary: ModelSummary; wish: number } | undefined;

/** Models are asked for, and may arrive in another order: a later wish is not undone by an earlier one. */
let wishes = 0;

export async function openModel(): Promise<ModelSummary> {
  const wish = wishes;
  try {
    const stored = await io.listModels();
    if (STORE in stored) return await adopt(await loadModel(STORE), wish);
  } catch {
    // By another version, or nothing may be stored here: the page works all the same, and what is stored stays.
  }
  return adopt(titled(await openPretrained('cifar10'), PRETRAINED_TITLES.cifar10), wish);
}

export async function usePretrained(which: Pretrained): Promise<ModelSummary> {
  const wish = ++wishes;
  return (await useModel(await openPretrained(which), PRETRAINED_TITLES[which], wish)).summary;
}

export async function loadModelFiles(files: File[]): Promise<ModelSummary> {
  const wish = ++wishes;
  const model = await loadModel(await unpackModel(files));
  try {
    return (await useModel(model, titleOf(model) ?? files[0]!.name, wish)).summary;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Makes a model the one that classifies, and keeps it for the next visit; it belongs to this module then.
 *
 * @returns what is in use now, and whether this model is kept
 */
export async function useModel(
  model: LayersModel,
  title: string,
  wish = ++wishes,
): Promise<{ summary: ModelSummary; isKept: boolean }> {
  const summary = await adopt(titled(model, title), wish);
  if (inUse?.model !== model) return { summary, isKept: false };
  // Where nothing can be stored it is there for this visit only.
  const isKept = await saveModel(model, STORE).then(
    () => true,
    () => false,
  );
  return { summary, isKept };
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

async function adopt(model: LayersModel, wish: number): Promise<ModelSummary> {
  // First of all: what cannot classify (other inputs, other outputs) does not take the place of what can.
  const classifier = await createClassifier(model);
  const before = inUse;
  if (before && wish < before.wish) {
    await classifier.dispose();
    model.dispose();
    return before.summary;
  }
  const summary: ModelSummary = {
    title: titleOf(model) ?? 'A model',
    classNames: classifier.classNames,
    size: model.inputs[0]!.shape[1] ?? getModelMetadata(model).inputShape![0],
    parameters: model.countParams(),
  };
  inUse = { model, classifier, summary, wish };
  await before?.classifier.dispose();
  before?.model.dispose();
  emit('model', summary);
  return summary;
}

function titled(model: LayersModel, title: string): LayersModel {
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), title });
  return model;
}

/** What this page has called it; other programs' models have no title. */
function titleOf(model: LayersModel): string | undefined {
  const { title } = (model.getUserDefinedMetadata() ?? {}) as { title?: string };
  return title;
}
