import type { PictureSource } from '../protocol';
import { ClassList } from '../ui/classList';
import { byId, chosen, onPick } from '../ui/dom';
import { onDrop, type PlacedFile } from '../ui/drop';
import { showNotice } from '../ui/notice';

/** Fewer could not be split into those to learn from and those held back. */
const FEWEST_PICTURES = 5;

/** What CIFAR-10 and the drawn figures have. */
const TEN = { classes: 10, size: 32 };

/** What usually does: the fewer pictures, the more often they are to be seen. */
const EPOCHS = { drawn: 15, own: 40, cifar10: 10 };

/** Where the pictures come from: the choice, and what goes with each. */
export interface SourceForm {
  /** Undefined where something is missing; the page then says what. */
  value(): PictureSource | undefined;
  /** Classes, and height and width of the pictures. */
  shape(): { classes: number; size: number };
}

export function setUpSourceForm(form: HTMLFormElement, notice: HTMLElement): SourceForm {
  const classes = new ClassList(byId('own-classes'), { classes: 2, placeholder: 'such as: my cup' });
  let archive: File | undefined;
  const kind = () => chosen(form, 'source') as PictureSource['kind'];
  const size = () => Number(byId<HTMLSelectElement>('own-size').value);

  const addFolder = (files: PlacedFile[]) => {
    const found = classes.addFolder(files);
    if (found === 0)
      showNotice(notice, 'There are no pictures in sub-folders. Each class needs a folder of its own.', 'error');
    else showNotice(notice, '');
  };
  onPick(byId('own-folder'), (files) => addFolder(files.map((file) => ({ path: file.webkitRelativePath, file }))));
  onDrop(byId('own-drop'), addFolder);

  const takeArchive = (file: File) => {
    archive = file;
    byId('cifar10-chosen').textContent = `${file.name} is chosen.`;
  };
  onPick(byId('cifar10-file'), ([file]) => takeArchive(file!));
  onDrop(byId('cifar10-drop'), ([dropped]) => takeArchive(dropped!.file));

  const epochs = byId<HTMLInputElement>('epochs');
  const showPanels = () => {
    byId('source-own').hidden = kind() !== 'own';
    byId('source-cifar10').hidden = kind() !== 'cifar10';
    // A number that somebody has chosen stays.
    if (Object.values(EPOCHS).includes(epochs.valueAsNumber)) epochs.valueAsNumber = EPOCHS[kind()];
  };
  byId('train-source').addEventListener('change', showPanels);
  // A browser may bring an earlier choice back.
  showPanels();

  return {
    value() {
      if (kind() === 'drawn') return { kind: 'drawn' };
      if (kind() === 'cifar10') return { kind: 'cifar10', ...(archive && { archive }) };
      if (classes.length < 2) {
        showNotice(notice, 'A network tells classes apart: add a second one.', 'error');
        return undefined;
      }
      const given = classes.validated({ pictures: FEWEST_PICTURES });
      return given && { kind: 'own', classes: given, size: size() };
    },
    shape: () => (kind() === 'own' ? { classes: classes.length, size: size() } : TEN),
  };
}
