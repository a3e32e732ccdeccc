import type { ExportFormat, ModelSummary, Pretrained } from '../protocol';
import { byId, onPick } from '../ui/dom';
import { onDrop } from '../ui/drop';
import { count, percent, someOf } from '../ui/format';
import { showError, showNotice } from '../ui/notice';
import type { WorkerClient } from '../workerClient';

/** Shows the model in use, gives it away as a file and takes another one in. */
export function setUpModel(worker: WorkerClient): void {
  const notice = byId('model-notice');
  let isBusy = false;
  /** Runs what a button asks for, and says in place how it went. */
  const attempt = async (text: string, action: () => Promise<string>) => {
    showNotice(notice, text);
    isBusy = true;
    try {
      showNotice(notice, await action(), 'good');
    } catch (error) {
      showError(notice, error);
    } finally {
      isBusy = false;
    }
  };

  worker.on('model', showModel);
  worker.on('loading', ({ what, done, total }) => {
    if (isBusy) showNotice(notice, total ? `${what}, ${percent(done / total, 0)}` : `${what}…`);
  });
  for (const button of document.querySelectorAll<HTMLElement>('[data-export]')) {
    button.addEventListener('click', () =>
      attempt('Writing the file…', async () => {
        const file = await worker.call('exportModel', button.dataset.export as ExportFormat);
        download(file);
        return `${file.name}, ${count(Math.ceil(file.size / 1024))} kB, is among your downloads.`;
      }),
    );
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-pretrained]')) {
    button.addEventListener('click', () =>
      attempt('Loading the model…', async () => {
        const { title } = await worker.call('usePretrained', button.dataset.pretrained as Pretrained);
        return `“${title}” classifies from now on.`;
      }),
    );
  }
  const load = (files: File[]) =>
    attempt('Loading the model…', async () => {
      const { title } = await worker.call('loadModelFiles', files);
      return `“${title}” classifies from now on.`;
    });
  onPick(byId('model-files'), load);
  onDrop(byId('model'), (files) => load(files.map(({ file }) => file)));
}

function showModel({ title, classNames, size, parameters }: ModelSummary): void {
  byId('model-title').textContent = title;
  byId('model-facts').textContent = `${count(classNames.length)} classes, sees ${size} x ${size} pixels`;
  byId('model-classes').textContent = `It knows ${someOf(classNames, 24)}. ${count(parameters)} parameters.`;
  byId('teach-current').textContent = title;
}

function download(file: File): void {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: address, download: file.name }).click();
  // Browsers begin a download a moment after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
