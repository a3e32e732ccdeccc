import type { RunEnd, RunSettings, SavedRun } from '../protocol';
import { byId, chosen } from '../ui/dom';
import { ago, count, percent } from '../ui/format';
import { brokenText, showError, showNotice } from '../ui/notice';
import type { WorkerClient } from '../workerClient';
import { sayRun, setUpRunView, showProgress } from './runView';
import { type SourceForm, setUpSourceForm } from './sourceForm';

const NOT_KEPT = 'This browser has no room to keep the model for the next visit: download it below, under “The model”.';

type State = 'running' | 'stopped' | 'ended';

/** Has a network trained, stopped and trained on. */
export function setUpTrain(worker: WorkerClient, openTab: (name: string) => void): void {
  const form = byId<HTMLFormElement>('train-form');
  const source = setUpSourceForm(form, byId('train-notice'));
  setUpRunView(worker);
  const run = createRunner(worker);

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const value = source.value();
    if (value) run(worker.call('startRun', value, settingsOf(form)));
  });
  byId('train-stop').addEventListener('click', () => {
    sayRun('Stopping…');
    worker.call('stopRun');
  });
  for (const id of ['train-continue', 'saved-run-continue']) {
    byId(id).addEventListener('click', () => run(worker.call('continueRun')));
  }
  byId('train-new').addEventListener('click', () => {
    byId('run').hidden = true;
    form.hidden = false;
    form.querySelector<HTMLElement>('input:checked')!.focus();
    showSavedRun(worker);
  });
  byId('train-try').addEventListener('click', () => openTab('classify'));
  byId('saved-run-discard').addEventListener('click', async () => {
    try {
      await worker.call('discardRun');
      showNotice(byId('train-notice'), '');
    } catch (error) {
      showError(byId('train-notice'), error);
    }
    showSavedRun(worker);
    byId('train-start').focus();
  });
  form.addEventListener('change', () => showParameters(worker, form, source));
  showParameters(worker, form, source);
  showSavedRun(worker);
}

/** Follows a training from its begin to its end. */
function createRunner(worker: WorkerClient): (begun: Promise<RunEnd>) => Promise<void> {
  /** Whether it waits for its pictures. */
  let isLoading = false;
  worker.on('loading', ({ what, done, total }) => {
    if (!isLoading) return;
    byId('run-status').textContent = total ? `${what}, ${percent(done / total, 0)}` : `${what}, ${count(done)}`;
    showProgress(total ? done / total : undefined);
  });
  worker.on('runStart', ({ broken }) => {
    isLoading = false;
    showNotice(byId('run-notice'), brokenText(broken), 'error');
  });
  worker.on('runStep', ({ progress }) => {
    byId('train-badge').textContent = percent(progress, 0);
  });

  return async (begun) => {
    isLoading = true;
    showState('running');
    // What is not kept is gone with the page: the browser asks first.
    const isKept = byId<HTMLInputElement>('keep').checked;
    if (!isKept) window.addEventListener('beforeunload', ask);
    try {
      const { state, canContinue, isKept } = await begun;
      showState(canContinue ? 'stopped' : 'ended');
      if (state === 'finished') showProgress(1);
      sayRun(state === 'finished' ? 'Finished: this model classifies from now on' : 'Stopped');
      if (state === 'finished' && !isKept) showNotice(byId('run-notice'), NOT_KEPT, 'error');
    } catch (error) {
      if (isLoading) byId('run-title').textContent = 'The training did not start';
      showState('ended');
      showProgress(0);
      sayRun('');
      showError(byId('run-notice'), error);
    } finally {
      isLoading = false;
      window.removeEventListener('beforeunload', ask);
    }
  };
}

const ask = (event: BeforeUnloadEvent) => event.preventDefault();

function showState(state: State): void {
  const isRunning = state === 'running';
  byId('run').hidden = false;
  byId('train-stop').hidden = !isRunning;
  byId('train-continue').hidden = state !== 'stopped';
  byId('train-try').hidden = isRunning;
  byId('train-new').hidden = isRunning;
  byId('train-form').hidden = true;
  byId('train-badge').textContent = '';
  byId('figure-time').textContent = '–';
  if (isRunning) {
    byId('saved-run').hidden = true;
    byId('run-live').hidden = true;
    byId('run-title').textContent = 'Getting the pictures';
    showNotice(byId('run-notice'), '');
    sayRun('');
    showProgress();
  }
  // The button that had the keyboard's place may be gone.
  byId('run-title').focus({ preventScroll: true });
}

function settingsOf(form: HTMLFormElement): RunSettings {
  return {
    alpha: Number(chosen(form, 'alpha')),
    epochs: byId<HTMLInputElement>('epochs').valueAsNumber,
    keep: byId<HTMLInputElement>('keep').checked,
  };
}

async function showParameters(worker: WorkerClient, form: HTMLFormElement, source: SourceForm): Promise<void> {
  const shape = { ...source.shape(), alpha: settingsOf(form).alpha };
  const parameters = await worker.call('countParameters', shape);
  byId('parameters').textContent = `${count(parameters)} parameters`;
}

/** Offers to go on with the training of an earlier visit, unless another tab trains. */
async function showSavedRun(worker: WorkerClient): Promise<void> {
  const saved = await worker.call('savedRun');
  // A training may have begun here meanwhile.
  if (byId('train-form').hidden) return;
  const isElsewhere = saved === 'elsewhere';
  byId('saved-run').hidden = saved === undefined;
  byId('saved-run-continue').hidden = byId('saved-run-discard').hidden = isElsewhere;
  if (saved === undefined) return;
  byId('saved-run-text').textContent = isElsewhere
    ? 'A training runs in another tab of this page. Stop it there, or wait for its end, before one starts here.'
    : savedRunText(saved);
  if (!isElsewhere) return;
  await worker.call('trainingElsewhereEnded');
  await showSavedRun(worker);
}

function savedRunText({ title, settings, epochsDone, time }: SavedRun): string {
  return `A training was interrupted ${ago(time)}: ${title}, alpha ${settings.alpha}, ${epochsDone} of ${settings.epochs} epochs done. Another one takes its place.`;
}
