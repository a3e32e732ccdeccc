import Table from 'cli-table3';
import { InvalidArgumentError } from 'commander';

/**
 * Prints one JSON object a line, or one table of them all.
 *
 * @param {readonly object[]} rows
 * @param {{ json: boolean, columns: Record<string, (row: any) => unknown> }} options what stands in which column
 */
export function printRows(rows, { json, columns }) {
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row));
    return;
  }
  if (rows.length === 0) return;
  const table = new Table({ head: Object.keys(columns), style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(Object.values(columns).map((cell) => `${cell(row) ?? ''}`));
  console.log(table.toString());
}

export const percent = (/** @type {number} */ fraction) => `${(100 * fraction).toFixed(0)} %`;

/** Three significant digits, or all before the point. */
export const rounded = (/** @type {number | null} */ value) =>
  value === null ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

/**
 * A parser of commander's for lists such as `A,C`.
 *
 * @template {string} T
 * @param {readonly T[]} choices
 */
export function listOf(choices) {
  return (/** @type {string} */ text) => {
    const items = text.split(',');
    const unknown = items.find((item) => !choices.includes(/** @type {T} */ (item)));
    if (unknown !== undefined) throw new InvalidArgumentError(`Expected some of ${choices.join(',')}, not ${unknown}.`);
    return /** @type {T[]} */ (items);
  };
}

/** @param {string} text */
export function positiveNumber(text) {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** @param {string} text */
export function positiveInteger(text) {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('Expected an integer above 0.');
  return value;
}
