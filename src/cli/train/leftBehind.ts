import { join } from 'node:path';
import { platform } from '#platform';
import type { Session } from '../session';
import type { CheckpointPlace } from './checkpointPlace';
import { checkpointFolder } from './goOn';
import type { TrainOptions } from './trainOptions';

/** What an earlier training has left where this one would write, and what to do about it; undefined where nothing is. */
export async function leftBehind(
  options: TrainOptions,
  checkpoints: CheckpointPlace,
  session: Pick<Session, 'program'>,
): Promise<string | undefined> {
  const { out, resume, overwrite = false } = options;
  if (resume === undefined && (await checkpoints.isTaken())) {
    return [
      `There are checkpoints of another training in ${checkpoints.folder}.`,
      `To go on from them: ${checkpoints.goOn(session)}`,
      'To train anew: remove that folder, or name another one by --checkpoint.',
    ].join('\n');
  }
  if (overwrite || goesOnWithModel(options) || !(await hasModel(out))) return undefined;
  const received = `received '${out}', which has one`;
  return `--out: expected a folder without a model, ${received}. Name another folder, or replace the model by --overwrite.`;
}

/** Checkpoints beside a model are of its training; others may be of any. */
function goesOnWithModel({ out, resume }: TrainOptions): boolean {
  return resume !== undefined && platform.folders.isSame(checkpointFolder(resume), join(out, 'checkpoints'));
}

async function hasModel(folder: string): Promise<boolean> {
  return (await platform.fileSize(join(folder, 'model.json'))) !== undefined;
}
