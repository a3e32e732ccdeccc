import type { ModelSummary } from '../protocol';
import { element } from '../ui/dom';
import { paintBytes } from '../ui/picture';
import type { WorkerClient } from '../workerClient';

/** A picture to try a model with. */
export interface ExamplePicture {
  name: string;
  blob: Blob;
}

/** CIFAR-10's classes as every system can draw them. */
const EMOJI: Record<string, string> = {
  airplane: '✈️',
  automobile: '🚗',
  bird: '🦆',
  cat: '🐈',
  deer: '🦌',
  dog: '🐶',
  frog: '🐸',
  horse: '🐴',
  ship: '🚢',
  truck: '🚚',
};

const SIDE = 160;

/** Buttons for pictures that the page makes itself, of what the model knows; none for other models. */
export function showExamples(
  host: HTMLElement,
  { classNames }: ModelSummary,
  { worker, use }: { worker: WorkerClient; use: (picture: ExamplePicture) => void },
): void {
  const known = Object.entries(EMOJI).filter(([name]) => classNames.includes(name));
  const buttons = known.map(([name, emoji]) => {
    const button = element(
      'button',
      { type: 'button', className: 'emoji', ariaLabel: `Try ${name}`, title: name },
      emoji,
    );
    button.addEventListener('click', async () => use({ name: `${emoji} ${name}`, blob: await paintEmoji(emoji) }));
    return button;
  });
  if (classNames.includes('checkerboard')) {
    const draw = element('button', { type: 'button' }, 'Draw a figure');
    draw.addEventListener('click', async () => {
      const figure = await worker.call('drawFigure');
      use({ name: `Drawn: ${classNames[figure.label]}`, blob: await blobOf(paintBytes(figure)) });
    });
    buttons.push(draw);
  }
  host.hidden = buttons.length === 0;
  host.replaceChildren(...(buttons.length === 0 ? [] : ['No picture at hand? ', ...buttons]));
}

async function paintEmoji(emoji: string): Promise<Blob> {
  const canvas = element('canvas', { width: SIDE, height: SIDE });
  const context = canvas.getContext('2d')!;
  const sky = context.createLinearGradient(0, 0, 0, SIDE);
  sky.addColorStop(0, '#a8cdee');
  sky.addColorStop(1, '#e9f1f7');
  context.fillStyle = sky;
  context.fillRect(0, 0, SIDE, SIDE);
  context.font = `${0.75 * SIDE}px sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(emoji, SIDE / 2, 0.55 * SIDE);
  return blobOf(canvas);
}

async function blobOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!)));
}
