import { setUpClassify } from './classify/classifyView';
import { setUpModel } from './model/modelView';
import { worksOffline } from './offline';
import { setUpTeach } from './teach/teachView';
import { setUpTrain } from './train/trainView';
import { byId } from './ui/dom';
import { showError } from './ui/notice';
import { setUpTabs } from './ui/tabs';
import { startWorker } from './workerClient';

// Pictures enter in src/ui (picked, dropped, from the camera) and go to the worker as files; what comes back are figures,
// which the views show: src/train, src/classify, src/teach and, for the model that they share, src/model.

const worker = startWorker();
setUpModel(worker);
const classify = setUpClassify(worker);
const tabs = setUpTabs((name) => {
  if (name !== 'classify') classify.leave();
});
setUpTrain(worker, tabs.open);
setUpTeach(worker, tabs.open);

// A file that misses its place would take the page's place.
for (const type of ['dragover', 'drop']) window.addEventListener(type, (event) => event.preventDefault());

showThreads();
worksOffline();
worker.call('openModel').catch((error) => {
  byId<HTMLDetailsElement>('model').open = true;
  byId('model-title').textContent = 'None';
  showError(byId('model-notice'), error);
});

async function showThreads(): Promise<void> {
  const { isolated, threads } = await worker.call('environment');
  const chip = byId('threads');
  chip.hidden = false;
  chip.textContent = threads === 1 ? '1 thread' : `${threads} threads`;
  if (!isolated) chip.append(', as this page is not cross-origin isolated');
}
