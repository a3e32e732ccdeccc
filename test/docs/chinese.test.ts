// The pages in Chinese keep in step with those that they translate: the same headings, code, tables of figures and links.
import { describe, expect, test } from 'vitest';
import { readPage } from './blocks';

const translations: [english: string, chinese: string][] = [
  ['README.md', 'README.zh.md'],
  ['docs/guide/quickStart.md', 'docs/zh/quickStart.md'],
  ['docs/guide/tutorial.md', 'docs/zh/tutorial.md'],
];

const FENCE = /^(`{3,})[^\n]*\n.*?^\1$/gms;

/** Byte by byte, with what stands behind the fences. */
const codeOf = (markdown: string) => [...markdown.matchAll(FENCE)].map(([block]) => block);

const proseOf = (markdown: string) => markdown.replaceAll(FENCE, '').replaceAll(/<!--.*?-->/gs, '');

/** How deep each is. */
const headingsOf = (markdown: string) => [...proseOf(markdown).matchAll(/^(#+) /gm)].map((match) => match[1]!.length);

/** The figures of each row of a table, and how many cells it has. */
function rowsOf(markdown: string): { cells: number; figures: string[] }[] {
  const rows = proseOf(markdown).match(/^\|.*\|$/gm) ?? [];
  return rows.map((row) => ({ cells: row.split('|').length - 2, figures: row.match(/\d+([.,]\d+)*/g) ?? [] }));
}

/** Where links lead, whichever folder they start from, and to whichever of the two languages. */
function linksOf(markdown: string): string[] {
  const links = [...proseOf(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
  return links
    .map((link) =>
      link
        .replace(/^(\.\.\/)*((docs|guide|zh)\/)*/, '')
        .replace(/(\.zh)?\.md\b/, '')
        .replace(/#.*/, ''),
    )
    .sort();
}

/** Figures in the text say the same in both: 84.1, 1e-5, 128. */
const figuresOf = (markdown: string) =>
  [...new Set(proseOf(markdown).match(/\d+(\.\d+)?(e-?\d+)?/g) ?? [])].filter((figure) => figure.length > 2).sort();

describe.each(translations)('%s and %s', (english, chinese) => {
  const [one, other] = [readPage(english), readPage(chinese)];

  test('headings', () => expect(headingsOf(other)).toEqual(headingsOf(one)));
  test('code', () => expect(codeOf(other)).toEqual(codeOf(one)));
  test('tables', () => expect(rowsOf(other)).toEqual(rowsOf(one)));
  test('links', () => expect(linksOf(other)).toEqual(linksOf(one)));
  test('figures', () => expect(figuresOf(other)).toEqual(figuresOf(one)));
});
