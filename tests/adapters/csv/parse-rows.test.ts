import * as fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { detectDelimiter, parseRows } from '../../../src/adapters/csv/parse-rows.ts';
import { all, chunksOf } from './texts.ts';

const rowsOf = async (text: string, length?: number) => all(parseRows(chunksOf(text, length)));

describe('rows and the lines they begin on', () => {
  const cases: readonly (readonly [string, string, readonly (readonly [number, readonly string[]])[]])[] = [
    [
      'plain',
      'a,b\n1,2\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'no line break at the end',
      'a,b\n1,2',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'CRLF',
      'a,b\r\n1,2\r\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'blank lines count, and are left out',
      'a,b\n\n\r\n1,2\n',
      [
        [1, ['a', 'b']],
        [4, ['1', '2']],
      ],
    ],
    [
      'quoted delimiter',
      'a,b\n"x,y",2\n',
      [
        [1, ['a', 'b']],
        [2, ['x,y', '2']],
      ],
    ],
    [
      'doubled quotes',
      'a,b\n"say ""hi""",2\n',
      [
        [1, ['a', 'b']],
        [2, ['say "hi"', '2']],
      ],
    ],
    [
      'quoted line breaks',
      'a,b\n"x\ny\r\nz",2\n3,4\n',
      [
        [1, ['a', 'b']],
        [2, ['x\ny\r\nz', '2']],
        [5, ['3', '4']],
      ],
    ],
    [
      'quoted field at the end of a CRLF line',
      'a,b\r\n1,"2"\r\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'quotes within a field are text',
      'a,b\n5" pipe,2\n',
      [
        [1, ['a', 'b']],
        [2, ['5" pipe', '2']],
      ],
    ],
    [
      'empty fields',
      'a,b,c\n,"",\n',
      [
        [1, ['a', 'b', 'c']],
        [2, ['', '', '']],
      ],
    ],
    [
      'semicolons',
      'a;b\n1,5;2\n',
      [
        [1, ['a', 'b']],
        [2, ['1,5', '2']],
      ],
    ],
    [
      'tabs',
      'a\tb\n1\t2\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'one column',
      'a\n1\n',
      [
        [1, ['a']],
        [2, ['1']],
      ],
    ],
  ];
  test.each(cases)('%s', async (_name, text, expected) => {
    for (const length of [undefined, 1, 2, 3]) {
      const rows = await rowsOf(text, length);
      expect(rows.map(({ line, fields }) => [line, fields])).toEqual(expected);
      expect(rows.every(({ problem }) => problem === null)).toBe(true);
    }
  });

  test('agrees with Papa Parse on any table, cut anywhere', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '7', ',', '"', '\n', ' ', ';', 'é'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (table, length) => {
          const text = Papa.unparse(table, { delimiter: ',', newline: '\n', quotes: true });
          const rows = await all(parseRows(chunksOf(text, length), { delimiter: ',' }));
          expect(rows.map(({ fields }) => fields)).toEqual(
            Papa.parse(text, { delimiter: ',', newline: '\n' }).data,
          );
        },
      ),
    );
  });

  test('text after a closing quote is a problem of that row alone', async () => {
    const rows = await rowsOf('a,b\n"x"y,2\n3,4\n');
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [1, null],
      [2, 'text after a closing quote: "y"'],
      [3, null],
    ]);
  });

  test('bytes that are not UTF-8 are a problem of their row', async () => {
    const rows = await rowsOf('a,b\nM\uFFFDller,2\n3,4\n');
    expect(rows.map(({ problem }) => problem)).toEqual([null, 'it is not UTF-8 text', null]);
  });

  test.each([
    ['at the end of the file', 'a,b\n1,2\n"never closed,3\n'],
    ['over more than any field holds', `a,b\n1,2\n"never closed,${'x'.repeat(2_000_000)}\n`],
  ])('a quote that never closes is refused with its line: %s', async (_name, text) => {
    await expect(rowsOf(text, 65_536)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('Line 3:'),
    });
  });
});

test.each([
  ['a,b;c,d', ','],
  ['a;b;c,d', ';'],
  ['a\tb', '\t'],
  ['a|b|c', '|'],
  ['"a;b;c;d",e', ','],
  ['alone', ','],
])('the delimiter of %j is %j', (text, delimiter) => {
  expect(detectDelimiter(text)).toBe(delimiter);
});
