import type { PictureClass } from '../protocol';
import { ClassCard } from './classCard';
import { classFolders } from './classFolders';
import { element } from './dom';
import type { PlacedFile } from './drop';

export interface ClassListOptions {
  /** How many classes there are at first. */
  classes: number;
  /** What stands in an empty name. */
  placeholder: string;
}

/** A list of classes that people name and fill with pictures. */
export class ClassList {
  readonly #list = element('ul', { className: 'class-list', ariaLabel: 'Classes' });
  readonly #cards: ClassCard[] = [];
  readonly #placeholder: string;

  constructor(host: HTMLElement, { classes, placeholder }: ClassListOptions) {
    this.#placeholder = placeholder;
    const another = element('button', { type: 'button', className: 'quiet' }, 'Add another class');
    another.addEventListener('click', () => this.#addCard('').element.querySelector('input')!.focus());
    host.append(this.#list, another);
    for (let i = 0; i < classes; i++) this.#addCard('');
  }

  get length(): number {
    return this.#cards.length;
  }

  /** Undefined where something is missing; the card then says what. */
  validated({ pictures }: { pictures: number }): PictureClass[] | undefined {
    const names = new Set<string>();
    for (const card of this.#cards) {
      const { name, files } = card.value;
      const problem =
        name === ''
          ? 'Give this class a name.'
          : names.has(name)
            ? `There are two classes named ${name}. Rename one.`
            : card.isReading
              ? 'Its pictures are still being read. Wait a moment, then try again.'
              : files.length < pictures
                ? `This class needs ${pictures === 1 ? 'a picture' : `${pictures} pictures`} or more.`
                : undefined;
      if (problem) {
        card.complain(problem);
        return undefined;
      }
      names.add(name);
    }
    return this.#cards.map((card) => card.value);
  }

  /** Takes in a folder with one sub-folder for each class; tells how many classes it found. */
  addFolder(files: readonly PlacedFile[]): number {
    const byClass = classFolders(files);
    if (byClass.size > 0) this.#removeEmpty();
    for (const [name, pictures] of byClass) this.#addCard(name).add(pictures);
    return byClass.size;
  }

  #addCard(name: string): ClassCard {
    const card = new ClassCard(name, this.#placeholder);
    card.removeButton.addEventListener('click', () => this.#remove(card));
    this.#cards.push(card);
    this.#list.append(card.element);
    this.#changed();
    return card;
  }

  #remove(card: ClassCard): void {
    this.#cards.splice(this.#cards.indexOf(card), 1);
    card.element.remove();
    if (this.#cards.length === 0) this.#addCard('');
    this.#cards[0]!.element.querySelector('input')!.focus();
    this.#changed();
  }

  #removeEmpty(): void {
    for (const card of [...this.#cards]) {
      if (card.value.name !== '' || card.files.length > 0) continue;
      this.#cards.splice(this.#cards.indexOf(card), 1);
      card.element.remove();
    }
  }

  #changed(): void {
    this.#list.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
