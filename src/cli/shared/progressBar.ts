import { platform } from '#platform';
import type { Session } from '../session';

/** Called with how much of how much is done. */
export type ReportProgress = (done: number, total: number | undefined) => void;

/**
 * Does something with a bar in the terminal; elsewhere, or without `cli-progress`, quietly.
 *
 * @param what words beside the bar
 */
export async function withProgressBar<Result>(
  { stderr }: Pick<Session, 'stderr'>,
  what: string,
  work: (report: ReportProgress) => Promise<Result>,
): Promise<Result> {
  const bar = await platform.createBar(stderr, `{bar} {percentage}% | ${what}`);
  if ('missing' in bar) return work(() => {});
  try {
    return await work((done, total) => {
      if (total) bar.show(done / total, {});
    });
  } finally {
    bar.hide();
  }
}
