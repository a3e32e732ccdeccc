import { element } from '../ui/dom';
import { percent } from '../ui/format';

/** A table of which class is taken for which, that fills in while a network learns. */
export class ConfusionMatrix {
  readonly #cells: HTMLTableCellElement[][];
  readonly #classNames: readonly string[];

  constructor(host: HTMLElement, classNames: readonly string[]) {
    this.#classNames = classNames;
    this.#cells = classNames.map(() => classNames.map(() => element('td', {}, '·')));
    const head = classNames.map((name) => element('th', { scope: 'col' }, element('span', {}, name)));
    const rows = classNames.map((name, i) =>
      element('tr', {}, element('th', { scope: 'row' }, name), ...this.#cells[i]!),
    );
    host.replaceChildren(
      element(
        'table',
        { className: 'matrix' },
        element('caption', { className: 'hidden' }, 'Rows are what pictures show, columns what they are taken for'),
        element('thead', {}, element('tr', {}, element('td', {}), ...head)),
        element('tbody', {}, ...rows),
      ),
    );
  }

  /** @param pictures `[true class][predicted class]` */
  show(pictures: readonly (readonly number[])[]): void {
    for (const [i, row] of pictures.entries()) {
      const size = row.reduce((sum, value) => sum + value, 0);
      for (const [k, value] of row.entries()) {
        const cell = this.#cells[i]![k]!;
        const share = size === 0 ? 0 : value / size;
        cell.textContent = value === 0 ? '·' : String(value);
        cell.className = value === 0 ? '' : i === k ? 'right' : 'wrong';
        cell.style.setProperty('--share', share.toFixed(3));
        cell.title = `${percent(share, 0)} of ${this.#classNames[i]} taken for ${this.#classNames[k]}`;
      }
    }
  }
}
