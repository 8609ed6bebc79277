import { expect, it } from 'vitest';
import { splitStatements } from '../../../src/adapters/clickhouse/split-statements.ts';

it.each<[string, string, string[]]>([
  ['nothing', '', []],
  ['white space and comments', '  -- a; b\n /* c; d */ ;; ', []],
  ['one without an end', 'SELECT 1', ['SELECT 1']],
  ['two', 'SELECT 1;\nSELECT 2;\n', ['SELECT 1', 'SELECT 2']],
  [
    'a semicolon in a string',
    "SELECT ';', 'it''s; \\'x;'; SELECT 2",
    ["SELECT ';', 'it''s; \\'x;'", 'SELECT 2'],
  ],
  ['a semicolon in a name', 'SELECT `a;b`, "c;d"; SELECT 2', ['SELECT `a;b`, "c;d"', 'SELECT 2']],
  ['a comment within', 'SELECT 1 -- one; or\n  + 2; SELECT 3', ['SELECT 1 \n  + 2', 'SELECT 3']],
  ['minus and division', 'SELECT 4 - 2 / 1; SELECT -1', ['SELECT 4 - 2 / 1', 'SELECT -1']],
  ['a quote in a comment', "SELECT 1 -- it's\n; SELECT 2", ['SELECT 1', 'SELECT 2']],
])('%s', (_what, text, statements) => {
  expect(splitStatements(text)).toEqual(statements);
});
