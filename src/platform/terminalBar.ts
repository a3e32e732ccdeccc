import type { ProgressBar, TextOutput } from './platform';

/** A bar of `cli-progress` (on use, as it is an optional peer dependency), or why there is none; for Node only. */
export async function createTerminalBar(
  output: TextOutput,
  format: string,
): Promise<ProgressBar | { missing: string }> {
  if (!output.isTTY) return { missing: 'the output is no terminal' };
  const cliProgress = await import('cli-progress').catch(() => undefined);
  if (cliProgress === undefined) return { missing: 'cli-progress is not installed: run npm install cli-progress' };
  const stream = output as NodeJS.WriteStream;
  const bar = new cliProgress.default.SingleBar({
    format,
    stream,
    // In 80 columns numbers need the room.
    barsize: stream.columns < 100 ? 8 : 24,
    // A process that Ctrl-C ends could not give the cursor and the wrapping of lines back.
    hideCursor: false,
    linewrap: true,
    clearOnComplete: true,
  });
  let isShown = false;
  return {
    show(progress, values) {
      // Of a thousand steps: cli-progress counts in integers.
      const done = Math.round(1000 * progress);
      if (isShown) bar.update(done, values);
      else bar.start(1000, done, values);
      isShown = true;
    },
    hide() {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}
