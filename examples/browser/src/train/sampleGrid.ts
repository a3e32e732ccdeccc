import type { Classification } from 'mobilenet-v1-ts';
import type { SamplePicture } from '../protocol';
import { element } from '../ui/dom';
import { percent } from '../ui/format';
import { paintBytes } from '../ui/picture';

/** Some pictures with their classes, and what a network takes them for. */
export class SampleGrid {
  readonly #guesses: { place: HTMLElement; className: string }[];

  constructor(host: HTMLElement, samples: readonly SamplePicture[], classNames: readonly string[]) {
    this.#guesses = samples.map(({ label }) => ({
      place: element('span', { className: 'guess' }, '…'),
      className: classNames[label]!,
    }));
    const items = samples.map((sample, i) => {
      const picture = paintBytes(sample);
      picture.ariaHidden = 'true';
      const { place, className } = this.#guesses[i]!;
      return element('li', {}, picture, element('span', { className: 'label' }, className), place);
    });
    host.replaceChildren(...items);
  }

  show(guesses: readonly Classification[]): void {
    for (const [i, { place, className }] of this.#guesses.entries()) {
      const guess = guesses[i];
      if (!guess) continue;
      const isRight = guess.className === className;
      place.textContent = isRight ? `right, ${percent(guess.probability, 0)}` : `taken for ${guess.className}`;
      place.parentElement!.className = isRight ? 'right' : 'wrong';
    }
  }
}
