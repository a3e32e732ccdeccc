import { expect, test } from 'vitest';
import { csvRows } from '../../src/data/csvRows';
import { createRandom } from '../../src/random';

const fields = (text: string) => csvRows(text, 'labels.csv').map((row) => row.fields);

test.each<[string, string, string[][]]>([
  [
    'LF',
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'CRLF, and no end of the last line',
    'a,b\r\nc,d',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['CR', 'a\rb', [['a'], ['b']]],
  [
    'empty lines between',
    '\n\na,b\n\n\r\nc,d\n\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'empty fields',
    ',\na,\n,b',
    [
      ['', ''],
      ['a', ''],
      ['', 'b'],
    ],
  ],
  [
    'lines of blanks between',
    'a,b\n  \n\t\r\nc,d\n ',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['an empty field in quotes, which is a row', '""\n""', [[''], ['']]],
  ['commas, quotes and line breaks in quotes', '"a,""b""\r\n",c', [['a,"b"\r\n', 'c']]],
  ['a byte order mark', '\uFEFF"a",b', [['a', 'b']]],
  ['spaces, which stay', ' a , b ', [[' a ', ' b ']]],
  ['nothing', '', []],
])('%s', (_, text, expected) => {
  expect(fields(text)).toEqual(expected);
});

test('a row knows the line on which it begins', () => {
  expect(csvRows('a\n\n"b\nb\r\nb"\nc', 'labels.csv').map(({ line }) => line)).toEqual([1, 3, 6]);
});

test.each([
  ['a quote that is not closed', 'a\n"b', 'line 2: expected every quote to enclose a whole field'],
  ['a quote within a field', 'a\nb"c', 'line 2: expected every quote'],
  ['text after a quote', '"a"b', 'line 1: expected every quote'],
  ['a row that is too short', 'a,b\n\nc', 'line 3: expected 2 fields, as in the first row, received 1'],
  ['a row that is too long', 'a,b\nc,d,e', 'line 2: expected 2 fields, as in the first row, received 3'],
])('%s is refused', (_, text, words) => {
  const error = {
    name: 'MobilenetError',
    code: 'invalid-data',
    message: expect.stringContaining(`labels.csv, ${words}`),
  };
  expect(() => csvRows(text, 'labels.csv')).toThrow(expect.objectContaining(error));
});

test('whatever the fields are, written with quotes they are read as they were (seed 1)', () => {
  const random = createRandom(1);
  const characters = ['a', 'ß', ',', '"', '\n', '\r', '\r\n', ' '];
  for (let round = 0; round < 300; round++) {
    const columns = 1 + random.integer(3);
    const rows = Array.from({ length: 1 + random.integer(4) }, () =>
      Array.from({ length: columns }, () =>
        Array.from({ length: random.integer(5) }, () => characters[random.integer(characters.length)]).join(''),
      ),
    );
    const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
    expect(fields(rows.map((row) => row.map(quoted).join(',')).join('\r\n'))).toEqual(rows);
  }
});
