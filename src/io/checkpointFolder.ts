import { platform } from '#platform';
import { check, checkInteger, fail, MobilenetError } from '../errors';
import { readManifest, readState, sealManifest } from './checkpointFiles';
import { joinPath, splitPath } from './paths';
import { type Float32Values, writeSafetensors } from './safetensors';

/** `step-00001234`; where there was one of that step already, `step-00001234-2`. */
const NAME = /^step-(\d{8,16})(?:-(\d+))?$/;

/** How many checkpoints stay, unless it is said. */
const KEPT = 2;

/** What a training goes on from. */
export interface Checkpoint {
  /** Steps taken so far. */
  step: number;
  tensors: ReadonlyMap<string, Float32Values>;
  /** Whatever else belongs to it, as JSON: NaN and infinity become null, and what is undefined is left out. */
  record: unknown;
}

/** Where a checkpoint lies. */
export interface CheckpointPlace {
  path: string;
  step: number;
}

/** Options for {@link writeCheckpoint}. */
export interface WriteCheckpointOptions {
  /** How many of the newest stay, this one among them; at least 1. @default 2 */
  keep?: number;
}

/**
 * Writes a checkpoint into a folder of checkpoints, as a folder `step-00001234` of two files: `state.safetensors`, and
 * `checkpoint.json`, which vouches for it with its SHA-256. Then removes the oldest.
 *
 * A process that is killed at any moment leaves this checkpoint whole or not at all, and those before it whole; what else
 * it leaves is removed by the next call. A folder belongs to one training at a time.
 *
 * @returns Its path.
 * @throws {MobilenetError} `file-system`; `invalid-argument` also where the folder has checkpoints of later steps, which
 * are another training's, or this one's before it went back to an earlier checkpoint: see {@link removeCheckpointsAfter}.
 */
export async function writeCheckpoint(
  dir: string,
  { step, tensors, record }: Checkpoint,
  { keep = KEPT }: WriteCheckpointOptions = {},
): Promise<string> {
  checkInteger('checkpoint', 'step', step, 0);
  checkInteger('checkpoint', 'keep', keep, 1);
  const before = await listCheckpoints(dir);
  const [newest] = before;
  check(newest === undefined || newest.step <= step, {
    where: dir,
    expected: `a folder without checkpoints of a step after ${step}`,
    received: newest?.path,
    remedy: 'Go on from that with resume, or choose another folder.',
  });
  const path = joinPath(dir, newName(step, before));
  const state = writeSafetensors(tensors);
  await platform.folders.create(path, await sealManifest(step, state, record));
  await removeOldCheckpoints(dir, keep);
  return path;
}

/** Throws `file-system` unless checkpoints can be written into a folder: better before the first epoch than after it. */
export async function checkWritable(dir: string): Promise<void> {
  const probe = joinPath(dir, '.probe');
  const isNew = (await platform.folders.list(dir)) === undefined;
  // Of a process that was killed here.
  await platform.folders.remove(probe);
  await platform.folders.create(probe, new Map([['probe', '']]));
  await platform.folders.remove(isNew ? dir : probe);
}

/** Removes all but the newest checkpoints of a folder, and what a process left that was killed while it wrote one. */
export async function removeOldCheckpoints(dir: string, keep = KEPT): Promise<void> {
  checkInteger('checkpoint', 'keep', keep, 1);
  await platform.folders.sweep(dir, 'step-');
  for (const old of (await listCheckpoints(dir)).slice(keep)) await platform.folders.remove(old.path);
}

/** The checkpoints in a folder, the newest first; none where there is no such folder. Their files are not looked at. */
export async function listCheckpoints(dir: string): Promise<CheckpointPlace[]> {
  const names = (await platform.folders.list(dir)) ?? [];
  return names
    .map((name) => ({ path: joinPath(dir, name), ...numbersOf(name) }))
    .filter(({ step }) => Number.isSafeInteger(step))
    .sort((a, b) => b.step - a.step || b.turn - a.turn)
    .map(({ path, step }) => ({ path, step }));
}

/** Whether a checkpoint is one of those in a folder. */
export function isCheckpointOf(dir: string, path: string): boolean {
  return platform.folders.isSame(splitPath(path)[0], dir);
}

/**
 * Removes the checkpoints of a folder that come after the one at `path`, if that lies in it: for a training that went back
 * to an earlier one, as the later ones are torn or not wanted.
 */
export async function removeCheckpointsAfter(dir: string, path: string): Promise<void> {
  if (!isCheckpointOf(dir, path)) return;
  const [, name] = splitPath(path);
  const places = await listCheckpoints(dir);
  const place = places.findIndex((other) => splitPath(other.path)[1] === name);
  for (const later of places.slice(0, Math.max(0, place))) await platform.folders.remove(later.path);
}

/**
 * Reads the newest checkpoint of a folder, or the one that the path names.
 *
 * @throws {MobilenetError} `file-system` where there is none; `invalid-data` where it is torn, damaged or something else:
 * the message says what is wrong with which file, and names the newest whole one before it.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint & CheckpointPlace> {
  const [newest, ...older] = await findCheckpoints(path);
  try {
    return await readOne(newest.path);
  } catch (error) {
    if (!(error instanceof MobilenetError) || error.code !== 'invalid-data') throw error;
    const whole = await firstWhole(older);
    const offer = whole ? `The one before it is whole: resume: '${whole}'.` : 'There is no whole one before it.';
    throw new MobilenetError(error.code, `${error.message} ${offer}`, { cause: error });
  }
}

async function readOne(path: string): Promise<Checkpoint & CheckpointPlace> {
  const { step, state, record } = await readManifest(path);
  return { path, step, tensors: await readState(path, state), record };
}

async function firstWhole(places: readonly CheckpointPlace[]): Promise<string | undefined> {
  for (const { path } of places) {
    const read = await readOne(path).catch(() => undefined);
    if (read) return path;
  }
  return undefined;
}

/** The checkpoint that a path means, and those before it. */
async function findCheckpoints(path: string): Promise<[{ path: string }, ...CheckpointPlace[]]> {
  const names = await platform.folders.list(path);
  if (names === undefined) refuseFolder(path, 'no such folder');
  const [parent, name] = splitPath(path);
  const inside = await listCheckpoints(path);
  // One that was copied elsewhere may have another name, and one that lost a file is still one.
  const isOne = names.includes('checkpoint.json') || names.includes('state.safetensors');
  // A copy that a training went on from, and wrote into, is the folder of what came of it.
  if (NAME.test(name) || (isOne && inside.length === 0)) {
    const siblings = await listCheckpoints(parent);
    const place = siblings.findIndex((sibling) => splitPath(sibling.path)[1] === name);
    return [{ path }, ...(place < 0 ? [] : siblings.slice(place + 1))];
  }
  const [newest, ...older] = inside;
  return newest ? [newest, ...older] : refuseFolder(path, 'a folder without any');
}

function refuseFolder(path: string, received: string): never {
  fail({
    code: 'file-system',
    where: path,
    expected: 'a folder of checkpoints, or one checkpoint',
    received,
    remedy:
      'Check the path, or leave resume out to start anew; trainClassifier writes checkpoints where it is asked to.',
  });
}

function newName(step: number, others: readonly CheckpointPlace[]): string {
  const name = `step-${String(step).padStart(8, '0')}`;
  const same = others.filter((other) => other.step === step).map(({ path }) => numbersOf(splitPath(path)[1]).turn);
  return same.length === 0 ? name : `${name}-${Math.max(...same) + 1}`;
}

function numbersOf(name: string): { step: number; turn: number } {
  const [, step, turn = '1'] = NAME.exec(name) ?? [];
  return { step: Number(step ?? Number.NaN), turn: Number(turn) };
}
