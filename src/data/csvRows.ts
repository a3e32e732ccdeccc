import { fail } from '../errors';

/** One row of a CSV file. */
export interface CsvRow {
  fields: string[];
  /** The line on which it begins, from 1. */
  line: number;
}

const PLAIN = /[^",\r\n]*/y;
const END = /,|\r\n|\n|\r|$/y;
const BREAK = /\r\n|\n|\r/g;

/**
 * The rows of a CSV text, the header with them: fields separated by commas, in quotes where they hold commas, quotes or
 * line breaks. Lines end in CRLF, LF or CR; those of nothing or of blanks, and a byte order mark, are left out.
 *
 * @param where names the text in errors
 * @throws {MobilenetError} `invalid-data` where a quote is in the wrong place, or the rows differ in their number of fields.
 * @see RFC 4180
 */
export function csvRows(text: string, where: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let row: CsvRow = { fields: [], line: 1 };
  let line = 1;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  const refuseQuote = () => refuse(`${where}, line ${line}`, 'every quote to enclose a whole field', 'another');
  for (let mark = ','; mark !== ''; ) {
    const { value, end } = fieldAt(text, at) ?? refuseQuote();
    mark = matchAt(END, text, end) ?? refuseQuote();
    row.fields.push(value);
    line += (value + mark).match(BREAK)?.length ?? 0;
    const isEmpty = row.fields.length === 1 && text.slice(at, end).trim() === '';
    at = end + mark.length;
    if (mark === ',') continue;
    if (!isEmpty) rows.push(row);
    row = { fields: [], line };
  }
  const fields = rows[0]?.fields.length;
  const odd = rows.find((other) => other.fields.length !== fields);
  if (odd) refuse(`${where}, line ${odd.line}`, `${fields} fields, as in the first row`, `${odd.fields.length}`);
  return rows;
}

/** The field from `at` on, and where it ends; undefined where a quote is not closed. */
function fieldAt(text: string, at: number): { value: string; end: number } | undefined {
  if (text[at] !== '"') {
    const value = matchAt(PLAIN, text, at)!;
    return { value, end: at + value.length };
  }
  const parts: string[] = [];
  do {
    const close = text.indexOf('"', at + 1);
    if (close < 0) return undefined;
    parts.push(text.slice(at + 1, close));
    at = close + 1;
  } while (text[at] === '"');
  return { value: parts.join('"'), end: at };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function refuse(where: string, expected: string, received: string): never {
  fail({
    code: 'invalid-data',
    where,
    expected,
    received,
    remedy: 'Put fields that hold commas or quotes into quotes, and write a quote in them twice.',
  });
}
