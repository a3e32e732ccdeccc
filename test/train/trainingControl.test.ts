import { expect, test } from 'vitest';
import { createTrainingControl } from '../../src/train/trainingControl';

test('one that is resumed and paused again at once still holds', async () => {
  const control = createTrainingControl();
  control.pause();
  let goesOn = false;
  const waiting = control.whenRunning().then(() => {
    goesOn = true;
  });
  control.resume();
  control.pause();
  await new Promise((resolve) => setTimeout(resolve));
  expect([goesOn, control.paused]).toEqual([false, true]);
  control.resume();
  await waiting;
  expect(goesOn).toBe(true);
});

test('an abort ends the wait', async () => {
  const [control, abort] = [createTrainingControl(), new AbortController()];
  control.pause();
  const waiting = control.whenRunning(abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
