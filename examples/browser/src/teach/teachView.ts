import type { TeachBase, TeachRequest } from '../protocol';
import { ClassList } from '../ui/classList';
import { byId, chosen } from '../ui/dom';
import { plural } from '../ui/format';
import { brokenText, showError, showNotice } from '../ui/notice';
import type { WorkerClient } from '../workerClient';

/** Teaches new classes to a trained network. */
export function setUpTeach(worker: WorkerClient, openTab: (name: string) => void): void {
  const form = byId<HTMLFormElement>('teach-form');
  const notice = byId('teach-notice');
  const keep = byId<HTMLInputElement>('teach-keep');
  const button = byId<HTMLButtonElement>('teach-start');
  const progress = byId<HTMLProgressElement>('teach-progress');
  const classes = new ClassList(byId('teach-classes'), { classes: 1, placeholder: 'such as: my cup' });
  const base = () => chosen(form, 'base') as TeachBase;

  form.addEventListener('change', () => {
    // Beside a thousand classes a new one would hardly be seen.
    keep.disabled = base() === 'imagenet';
    if (keep.disabled) keep.checked = false;
  });

  const request = (): TeachRequest | undefined => {
    if (!keep.checked && classes.length < 2) {
      showNotice(notice, 'Add a second class, such as “something else”, or keep the classes that it knows.', 'error');
      return undefined;
    }
    const given = classes.validated({ pictures: 1 });
    return given && { base: base(), classes: given, keep: keep.checked };
  };

  worker.on('loading', ({ what, done, total }) => {
    if (progress.hidden) return;
    showNotice(notice, `${what}…`);
    if (total) progress.value = done / total;
  });

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const asked = request();
    if (!asked) return;
    button.disabled = true;
    progress.hidden = false;
    try {
      const { seconds, pictures, broken } = await worker.call('teach', asked);
      const learned = `Learned from ${plural(pictures, 'picture')} in ${seconds.toFixed(1)} seconds.`;
      showNotice(notice, `${learned} ${brokenText(broken)} `, 'good');
      notice.append(tryButton(openTab));
    } catch (error) {
      showError(notice, error);
    } finally {
      button.disabled = false;
      progress.hidden = true;
    }
  });
}

function tryButton(openTab: (name: string) => void): HTMLButtonElement {
  const button = Object.assign(document.createElement('button'), {
    type: 'button',
    textContent: 'Try it with the camera',
  });
  button.addEventListener('click', () => {
    openTab('classify');
    byId('classify-camera').click();
    byId('classify-camera').focus();
  });
  return button;
}
