import type { Classification } from 'mobilenet-v1-ts';
import { probabilityBars } from '../ui/bars';
import { openCamera } from '../ui/camera';
import { byId, element } from '../ui/dom';
import { percent } from '../ui/format';
import { showError, showNotice } from '../ui/notice';
import { type WorkerClient, WorkerFailure } from '../workerClient';

/** Between two pictures: faster than that nobody can read. */
const PAUSE_MS = 120;

/** Screen readers hear of another class no more often than that. */
const ANNOUNCE_MS = 3000;

/** Classifies what the camera sees for as long as its button is pressed. */
export function createLiveCamera(worker: WorkerClient): { stop(): void } {
  const button = byId('classify-camera');
  const video = byId<HTMLVideoElement>('classify-video');
  const shown = byId('classify-live');
  const notice = byId('classify-notice');
  /** Of the press that started it last: the browser may still ask for permission for an earlier one. */
  let press = new AbortController();

  const stop = () => {
    press.abort();
    button.ariaPressed = 'false';
    button.textContent = 'Use the camera';
    shown.hidden = true;
  };
  const start = async () => {
    press = new AbortController();
    const { signal } = press;
    button.ariaPressed = 'true';
    button.textContent = 'Stop the camera';
    showNotice(notice, '');
    try {
      const camera = await openCamera(video, signal);
      signal.addEventListener('abort', camera.stop);
      shown.hidden = false;
      const announce = announcer(byId('classify-announcer'));
      while (!signal.aborted) {
        const classes = await classifyFrame(worker, video);
        if (!signal.aborted && classes) {
          shown.replaceChildren(probabilityBars(classes));
          announce(classes[0]!);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch (error) {
      // What comes of a camera that was stopped is of no interest.
      if (signal.aborted) return;
      stop();
      showError(notice, error);
    }
  };
  button.addEventListener('click', () => (button.ariaPressed === 'true' ? stop() : start()));
  shown.append(element('p', { className: 'muted' }, 'Looking…'));
  return { stop };
}

/** Undefined where another model took the place of the one that was asked. */
async function classifyFrame(worker: WorkerClient, video: HTMLVideoElement): Promise<Classification[] | undefined> {
  try {
    return await worker.call('classify', await createImageBitmap(video));
  } catch (error) {
    if (error instanceof WorkerFailure && error.code === 'disposed') return undefined;
    throw error;
  }
}

function announcer(place: HTMLElement) {
  let last = { className: '', time: 0 };
  return ({ className, probability }: Classification) => {
    const time = performance.now();
    if (className === last.className || time - last.time < ANNOUNCE_MS) return;
    last = { className, time };
    place.textContent = `The camera sees ${className}, ${percent(probability, 0)}`;
  };
}
