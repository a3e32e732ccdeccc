import { WorkerFailure } from '../workerClient';
import { plural, someOf } from './format';

/** Says something in its place; an empty text takes the notice away. */
export function showNotice(place: HTMLElement, text: string, tone: 'error' | 'good' | 'plain' = 'plain'): void {
  place.textContent = text;
  place.dataset.tone = tone;
}

export function showError(place: HTMLElement, error: unknown): void {
  showNotice(place, explain(error), 'error');
}

/** What went wrong, for people, and what they can do. */
export function explain(error: unknown): string {
  if (error instanceof DOMException && CAMERA_PROBLEMS[error.name]) return CAMERA_PROBLEMS[error.name]!;
  const { message } = error as Error;
  if (error instanceof WorkerFailure && error.code === 'file-system') {
    return `${message} Free some storage, or untick “Keep it on this device”.`;
  }
  return message;
}

/** By the names of the exceptions that `getUserMedia` rejects with. */
const CAMERA_PROBLEMS: Record<string, string> = {
  NotAllowedError:
    'The browser does not let this page use the camera. Allow it beside the address, or choose pictures.',
  NotFoundError: 'No camera was found. Connect one, or choose pictures.',
  NotReadableError: 'The camera is in use by another program. Close that, or choose pictures.',
};

/** Which pictures could not be read; '' where all could. */
export function brokenText(broken: readonly { file: string }[]): string {
  if (broken.length === 0) return '';
  const names = someOf(
    broken.map(({ file }) => file),
    3,
  );
  return `${plural(broken.length, 'picture')} could not be read and ${broken.length === 1 ? 'is' : 'are'} left out: ${names}.`;
}
