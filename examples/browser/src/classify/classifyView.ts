import { probabilityBars } from '../ui/bars';
import { byId, element, onPick } from '../ui/dom';
import { onDrop } from '../ui/drop';
import { percent, someOf } from '../ui/format';
import { showError, showNotice } from '../ui/notice';
import { paintFile } from '../ui/picture';
import type { WorkerClient } from '../workerClient';
import { type ExamplePicture, showExamples } from './examples';
import { createLiveCamera } from './liveCamera';

/** Older results make way. */
const MOST_RESULTS = 24;

/** Classifies the pictures that are picked or dropped, and what the camera sees. */
export function setUpClassify(worker: WorkerClient): { leave(): void } {
  const results = byId('classify-results');
  const show = async (picture: ExamplePicture) => {
    const result = element('li', { className: 'card result' });
    await fillResult(result, worker, picture);
    results.prepend(result);
    while (results.childElementCount > MOST_RESULTS) results.lastElementChild!.remove();
  };
  const showAll = async (files: readonly File[]) => {
    for (const file of files) await show({ name: file.name, blob: file });
  };
  onPick(byId('classify-files'), showAll);
  onDrop(byId('classify-drop'), (files) => showAll(files.map(({ file }) => file)));
  worker.on('model', (model) => {
    const { classNames } = model;
    byId('classify-known').textContent = `It knows ${someOf(classNames, 12)}; anything else becomes one of these, too.`;
    showExamples(byId('classify-examples'), model, { worker, use: show });
  });
  const camera = createLiveCamera(worker);
  return { leave: () => camera.stop() };
}

async function fillResult(result: HTMLElement, worker: WorkerClient, { name, blob }: ExamplePicture): Promise<void> {
  const notice = element('p', { className: 'notice' });
  const picture = await paintFile(blob, 160);
  if (!picture) {
    showNotice(notice, `${name} cannot be read as a picture. Choose a JPEG, PNG, WebP or GIF file.`, 'error');
    result.append(notice);
    return;
  }
  picture.role = 'img';
  picture.ariaLabel = name;
  const figures = element('div', {}, element('p', { className: 'muted file' }, name));
  result.append(picture, figures);
  try {
    const classes = await worker.call('classify', blob);
    figures.append(probabilityBars(classes));
    const { className, probability } = classes[0]!;
    byId('classify-announcer').textContent = `${name}: ${className}, ${percent(probability, 0)}`;
  } catch (error) {
    showError(notice, error);
    figures.append(notice);
  }
}
