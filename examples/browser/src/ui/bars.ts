import type { Classification } from 'mobilenet-v1-ts';
import { element } from './dom';
import { percent } from './format';

/** Classes and their probabilities, as bars. */
export function probabilityBars(classes: readonly Classification[]): HTMLOListElement {
  const rows = classes.map(({ className, probability }) => {
    const bar = element('span', { className: 'bar' });
    bar.style.setProperty('--share', String(probability));
    bar.ariaHidden = 'true';
    return element(
      'li',
      {},
      element('span', { className: 'name' }, className),
      element('span', { className: 'value' }, percent(probability)),
      bar,
    );
  });
  return element('ol', { className: 'bars' }, ...rows);
}
