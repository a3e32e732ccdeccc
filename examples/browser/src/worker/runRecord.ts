import type { SampledSteps } from 'mobilenet-v1-ts';
import type { EpochReport, PictureSource, RunSettings } from '../protocol';
import { readPrivateFile, removeCheckpoints, removePrivate, writePrivateFile } from './privateFiles';
import { STORED_PICTURES } from './runPictures';

const FILE = 'run.json';

/** A training as this device keeps it, beside its checkpoints and its pictures. */
export interface RunRecord {
  title: string;
  kind: PictureSource['kind'];
  /** Whether the pictures are stored here, as they would not come again. */
  hasPictures: boolean;
  settings: RunSettings;
  seed: number;
  epochs: EpochReport[];
  sampled: SampledSteps;
  /** Milliseconds since 1970. */
  time: number;
}

export async function readRunRecord(): Promise<RunRecord | undefined> {
  const file = await readPrivateFile(FILE);
  // A tab that was closed while it wrote the first one leaves it empty.
  return file && file.size > 0 ? JSON.parse(await file.text()) : undefined;
}

export async function writeRunRecord(record: RunRecord): Promise<void> {
  await writePrivateFile(FILE, JSON.stringify({ ...record, time: Date.now() }));
}

export async function removeRun(): Promise<void> {
  await removePrivate(FILE, ...STORED_PICTURES);
  await removeCheckpoints();
}
