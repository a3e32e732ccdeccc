import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { PictureSource, RunSettings, RunStart, WorkerEvents } from '../../examples/browser/src/protocol';
import { writeRunRecord } from '../../examples/browser/src/worker/runRecord';
import {
  continueRun,
  discardRun,
  savedRun,
  startRun,
  stopRun,
  trainingElsewhereEnded,
} from '../../examples/browser/src/worker/trainingRun';
import { TabLocks } from './tabLocks';

// Trainings as the live page's worker runs them, by the library, on pictures of which an epoch has two batches. A folder
// takes the place of the origin private file system.

const { paths, emit, useModel } = vi.hoisted(() => ({
  paths: { root: '' },
  emit: vi.fn<(event: string, detail: unknown) => void>(),
  useModel: vi.fn<(model: LayersModel, title: string) => Promise<{ isKept: boolean }>>(),
}));

vi.mock('../../examples/browser/src/worker/serve', () => ({ emit }));
vi.mock('../../examples/browser/src/worker/modelInUse', () => ({ useModel }));
vi.mock('../../examples/browser/src/worker/privateFiles', async () => {
  const { mkdtempSync } = await import('node:fs');
  const { folderForPrivateFiles } = await import('./folderForPrivateFiles');
  paths.root = mkdtempSync(join(tmpdir(), 'mobilenet-live-run-'));
  return folderForPrivateFiles(paths.root);
});
vi.mock('../../examples/browser/src/worker/runPictures', async (original) => {
  const { syntheticCifar10 } = await import('mobilenet-v1-ts');
  const { train, test: validation } = syntheticCifar10({ train: 16, test: 10, seed: 1 });
  const open = async () => ({ train, validation, broken: [] });
  return { ...(await original<object>()), openPictures: open, restorePictures: open, storePictures: async () => {} };
});

const OWN: PictureSource = { kind: 'own', size: 32, classes: [{ name: 'cups', files: [] }] };
const settings = (epochs: number): RunSettings => ({ alpha: 0.25, epochs, keep: true });
const checkpoints = () => join(paths.root, 'checkpoints');

/** What an earlier visit has left. */
const recordOf = (epochs: number) => ({
  ...{ title: 'cups', kind: OWN.kind, hasPictures: true, settings: settings(40), seed: 1, time: 0 },
  epochs: Array.from({ length: epochs }, (_, i) => ({ ...EPOCH, epoch: i + 1 })),
  sampled: { points: [], stride: 1, inLast: 0 },
});
const EPOCH = {
  ...{ loss: 1, accuracy: 1, valLoss: 1, valAccuracy: 1, imagesPerSecond: 1 },
  ...{ confusionMatrix: [], guesses: [] },
};

/** Does something at each event of a name. */
function at<Name extends keyof WorkerEvents>(name: Name, act: (detail: WorkerEvents[Name]) => void): void {
  emit.mockImplementation((event, detail) => {
    if (event === name) act(detail as WorkerEvents[Name]);
  });
}

const told = (name: keyof WorkerEvents) =>
  emit.mock.calls.filter(([event]) => event === name).map(([, detail]) => detail);

function keepsModels(isKept: boolean): void {
  useModel.mockReset().mockImplementation(async (model) => {
    model.dispose();
    return { isKept };
  });
}

let locks: TabLocks;
beforeAll(() => setBackend('cpu'));
beforeEach(() => {
  locks = new TabLocks();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { locks });
  emit.mockReset();
  keepsModels(true);
  for (const name of readdirSync(paths.root)) rmSync(join(paths.root, name), { recursive: true });
});
afterEach(() => void vi.unstubAllGlobals());
afterAll(() => rmSync(paths.root, { recursive: true }));

test('where an epoch has fewer than 50 batches, a tab that is closed loses no epoch that was done', async () => {
  const closed = mkdtempSync(join(tmpdir(), 'mobilenet-live-closed-'));
  at('runEpoch', ({ epoch }) => {
    if (epoch === 2) cpSync(paths.root, closed, { recursive: true });
  });
  expect(await startRun(OWN, settings(3))).toEqual({ state: 'finished', canContinue: false, isKept: true });
  expect(await savedRun()).toBeUndefined();

  emit.mockReset();
  cpSync(closed, paths.root, { recursive: true });
  rmSync(closed, { recursive: true });
  expect(await savedRun()).toMatchObject({ title: 'cups', epochsDone: 1 });
  expect(await continueRun()).toEqual({ state: 'finished', canContinue: false, isKept: true });
  expect(told('runStart')).toMatchObject([{ resumed: true, epochs: [{ epoch: 1 }] }]);
  expect(told('runEpoch')).toMatchObject([{ epoch: 2 }, { epoch: 3 }]);
  expect(useModel).toHaveBeenCalledTimes(2);
});

test('a training whose model could not be stored keeps its checkpoint, and is at its end again at the next visit', async () => {
  keepsModels(false);
  expect(await startRun(OWN, settings(2))).toEqual({ state: 'finished', canContinue: false, isKept: false });
  expect(await savedRun()).toMatchObject({ title: 'cups', epochsDone: 2 });
  keepsModels(true);
  emit.mockReset();
  expect(await continueRun()).toEqual({ state: 'finished', canContinue: false, isKept: true });
  expect(told('runEpoch')).toEqual([]);
  expect(await savedRun()).toBeUndefined();
});

test('a checkpoint is not removed before the model is stored', async () => {
  let stillThere: unknown;
  useModel.mockImplementation(async (model) => {
    stillThere = readdirSync(paths.root);
    model.dispose();
    return { isKept: true };
  });
  await startRun(OWN, settings(1));
  expect(stillThere).toEqual(expect.arrayContaining(['run.json']));
});

test('without a checkpoint a training begins anew, and what is stopped within its first epoch takes no place', async () => {
  await writeRunRecord(recordOf(20));
  at('runStep', stopRun);
  expect(await continueRun()).toEqual({ state: 'stopped', canContinue: true, isKept: false });
  expect(told('runStart')).toMatchObject([{ resumed: false, epochs: [] } satisfies Partial<RunStart>]);
  expect(useModel).not.toHaveBeenCalled();
  expect(await savedRun()).toMatchObject({ epochsDone: 0 });
});

test('a checkpoint that cannot be read is an error, and the untrained network takes no place', async () => {
  await writeRunRecord(recordOf(20));
  mkdirSync(join(checkpoints(), 'step-00000040'), { recursive: true });
  writeFileSync(join(checkpoints(), 'step-00000040', 'checkpoint.json'), 'torn');
  await expect(continueRun()).rejects.toThrow(/step-00000040/);
  expect(useModel).not.toHaveBeenCalled();
});

test('a training that goes on is of use as soon as its checkpoint is read', async () => {
  at('runEpoch', stopRun);
  expect(await startRun(OWN, settings(3))).toEqual({ state: 'stopped', canContinue: true, isKept: true });
  at('runStep', stopRun);
  expect(await continueRun()).toEqual({ state: 'stopped', canContinue: true, isKept: true });
  expect(told('runStart')).toMatchObject([{ resumed: false }, { resumed: true, epochs: [{ epoch: 1 }] }]);
  expect(useModel).toHaveBeenCalledTimes(2);
});

test('while another tab trains, its training is neither offered nor discarded', async () => {
  await writeRunRecord(recordOf(2));
  const kept = readFileSync(join(paths.root, 'run.json'), 'utf8');
  const end = locks.holdElsewhere('live-page-training');
  expect(await savedRun()).toBe('elsewhere');
  await expect(discardRun()).rejects.toThrow('Another tab of this page is training. Stop it there first.');
  expect(readFileSync(join(paths.root, 'run.json'), 'utf8')).toBe(kept);

  const ended = trainingElsewhereEnded();
  end();
  await ended;
  expect(await savedRun()).toMatchObject({ epochsDone: 2 });
  await discardRun();
  expect(await savedRun()).toBeUndefined();
});
