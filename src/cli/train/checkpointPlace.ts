import { join, resolve } from 'node:path';
import { platform } from '#platform';
import type { Session } from '../session';
import { checkpointFolder, goOnCommand } from './goOn';
import { networkOf } from './network';
import type { TrainOptions } from './trainOptions';

/** Where a training's checkpoints are. */
export interface CheckpointPlace {
  folder: string;
  /** Whether there are any. */
  isTaken(): Promise<boolean>;
  /** What to type to go on from the newest. */
  goOn(session: Pick<Session, 'program'>): string;
  /** Removes them once the training is done, unless the user named the place: nobody would go on from them. */
  tidy(): Promise<void>;
}

export function checkpointPlace(options: TrainOptions): CheckpointPlace {
  const { out, checkpoint, resume, given } = options;
  const usual = join(out, 'checkpoints');
  const folder = checkpoint ?? (resume === undefined ? usual : checkpointFolder(resume));
  return {
    folder,
    async isTaken() {
      const names = (await platform.folders.list(folder)) ?? [];
      return names.some((name) => name.startsWith('step-'));
    },
    goOn: ({ program }) => goOnCommand(program, [...given, ...widthOf(options)], folder),
    async tidy() {
      if (resolve(folder) === resolve(usual) && checkpoint === undefined) await platform.folders.remove(folder);
    },
  };
}

/** The width that went by the minutes, said, so that whoever goes on may take more or fewer of them. */
function widthOf(options: TrainOptions): string[] {
  const { recipe, pretrained, epochs, alpha } = options;
  const wentByMinutes = recipe === 'quick' && pretrained === undefined && epochs === undefined && alpha === undefined;
  return wentByMinutes ? ['--alpha', String(networkOf(options, 32).alpha)] : [];
}
