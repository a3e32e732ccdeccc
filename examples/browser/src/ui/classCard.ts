import type { PictureClass } from '../protocol';
import { type Camera, openCamera } from './camera';
import { element, fileButton, onPick } from './dom';
import { onDrop } from './drop';
import { plural } from './format';
import { brokenText, showError, showNotice } from './notice';
import { paintFile } from './picture';

/** What the camera takes at one press. */
const PICTURES = 20;

const MS_BETWEEN_PICTURES = 150;

/** More would fill the page. */
const MOST_THUMBNAILS = 12;

/** The pictures of one class, as the page shows them. */
export class ClassCard {
  readonly files: File[] = [];
  readonly element: HTMLLIElement;
  readonly removeButton = element('button', { type: 'button', className: 'quiet' }, 'Remove');
  readonly #name: HTMLInputElement;
  readonly #count = element('p', { className: 'muted' });
  readonly #thumbnails = element('div', { className: 'thumbnails', ariaHidden: 'true' });
  readonly #notice = element('p', { className: 'notice', role: 'status' });
  readonly #video = element('video', {
    muted: true,
    playsInline: true,
    hidden: true,
    ariaLabel: 'What the camera sees',
  });
  readonly #cameraButton = element('button', { type: 'button' }, `Take ${PICTURES} pictures`);
  #stopTaking: (() => void) | undefined;
  /** How many lots of pictures are being read in. */
  #reading = 0;

  constructor(name: string, placeholder: string) {
    this.#name = element('input', { type: 'text', value: name, placeholder, autocomplete: 'off' });
    const [choose, input] = fileButton('Choose pictures', { multiple: true, accept: 'image/*' });
    this.element = element(
      'li',
      { className: 'class-card drop' },
      element('label', { className: 'field' }, element('span', {}, 'Name of the class'), this.#name),
      element('div', { className: 'class-head' }, this.#count, this.removeButton),
      this.#video,
      this.#thumbnails,
      element('div', { className: 'buttons' }, this.#cameraButton, choose),
      this.#notice,
    );
    onPick(input, (files) => this.add(files));
    onDrop(this.element, (files) => this.add(files.map(({ file }) => file)));
    this.#cameraButton.addEventListener('click', () => this.#takeOrStop());
    this.#showCount();
  }

  get value(): PictureClass {
    return { name: this.#name.value.trim(), files: this.files };
  }

  /** Whether pictures that were given are not all here yet. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** Says what is wrong with it, and puts the cursor there. */
  complain(text: string): void {
    showNotice(this.#notice, text, 'error');
    (this.value.name === '' ? this.#name : this.#cameraButton).focus();
  }

  /** Takes pictures in; those that cannot be decoded are named and left out. */
  async add(files: readonly File[]): Promise<void> {
    this.#reading++;
    try {
      await this.#read(files);
    } finally {
      this.#reading--;
    }
  }

  async #read(files: readonly File[]): Promise<void> {
    const broken: { file: string }[] = [];
    for (const file of files) {
      // Of many pictures the worker finds the broken ones, and tells.
      if (this.#thumbnails.childElementCount >= MOST_THUMBNAILS && files.length > 100) {
        this.files.push(file);
        continue;
      }
      const thumbnail = await paintFile(file, 48);
      if (!thumbnail) broken.push({ file: file.name });
      else this.files.push(file);
      if (thumbnail && this.#thumbnails.childElementCount < MOST_THUMBNAILS) this.#thumbnails.append(thumbnail);
      this.#showCount();
    }
    this.#showCount();
    showNotice(this.#notice, brokenText(broken), 'error');
  }

  #showCount(): void {
    const { length } = this.files;
    this.#count.textContent = length === 0 ? 'No pictures yet' : plural(length, 'picture');
    this.element.dispatchEvent(new Event('change', { bubbles: true }));
  }

  async #takeOrStop(): Promise<void> {
    if (this.#stopTaking) return this.#stopTaking();
    let camera: Camera | undefined;
    let isStopped = false;
    this.#stopTaking = () => {
      isStopped = true;
    };
    this.#cameraButton.textContent = 'Stop';
    showNotice(this.#notice, '');
    try {
      camera = await openCamera(this.#video);
      for (let taken = 0; taken < PICTURES && !isStopped && this.element.isConnected; taken++) {
        await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN_PICTURES));
        await this.add([await camera.takePicture(`camera-${this.files.length + 1}.jpg`)]);
      }
    } catch (error) {
      showError(this.#notice, error);
    } finally {
      camera?.stop();
      this.#stopTaking = undefined;
      this.#cameraButton.textContent = `Take ${PICTURES} pictures`;
    }
  }
}
