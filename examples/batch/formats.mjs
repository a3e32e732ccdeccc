/**
 * How results are written: what stands before them, and a line for each.
 *
 * @typedef {object} Format
 * @property {(topK: number) => string} head
 * @property {(result: import('./classifyFolder.mjs').Classified, topK: number) => string} line
 */

/** @type {Record<'csv' | 'ndjson', Format>} */
export const formats = {
  csv: {
    head: (topK) =>
      row(['picture', ...Array.from({ length: topK }, (_, k) => [`class${k + 1}`, `probability${k + 1}`])]),
    line: ({ picture, classes }, topK) => {
      const cells = classes.map(({ className, probability }) => [className, probability.toFixed(6)]);
      // A model may have fewer classes than were asked for.
      return row([picture, ...Array.from({ length: topK }, (_, k) => cells[k] ?? ['', ''])]);
    },
  },
  ndjson: { head: () => '', line: (result) => `${JSON.stringify(result)}\n` },
};

/**
 * A line as RFC 4180 has it.
 *
 * @param {(string | string[])[]} cells
 */
function row(cells) {
  const quote = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return `${cells.flat().map(quote).join(',')}\r\n`;
}
