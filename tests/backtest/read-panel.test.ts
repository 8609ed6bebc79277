import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openTable } from '../../src/adapters/csv/open-table.ts';
import { createRowProblems } from '../../src/adapters/csv/row-problems.ts';
import { readPanel } from '../../src/backtest/read-panel.ts';
import type { PanelRequest } from '../../src/backtest/read-panel.ts';
import type { PanelColumns } from '../../src/backtest/read-panel-row.ts';
import { fileOf } from '../adapters/csv/texts.ts';

const COLUMNS: PanelColumns = { id: 'unique_id', time: 'ds', target: 'y', split: null, known: [], past: [] };

async function read(text: string | Buffer, change: Partial<PanelRequest> = {}) {
  const problems = createRowProblems();
  const table = await openTable(fileOf(text));
  const reading = await readPanel({
    table,
    columns: COLUMNS,
    frequency: null,
    dateOrder: 'iso',
    problems,
    ...change,
  });
  return { ...reading, problems: problems.kept() };
}

const days = (...rows: readonly string[]): string => ['unique_id,ds,y', ...rows, ''].join('\n');

describe('what the time column may hold', () => {
  test.each([
    ['days', ['a,2024-01-01,1', 'a,2024-01-02,2'], 'D'],
    ['days as digits', ['a,20240101,1', 'a,20240102,2'], 'D'],
    ['hours', ['a,2024-01-01 00:00:00,1', 'a,2024-01-01T01:00,2'], 'h'],
    [
      'the clock as written, whatever the offset',
      ['a,2024-01-01T00:00+01:00,1', 'a,2024-01-01T01:00+02:00,2'],
      'h',
    ],
    ['months', ['a,2024-01,1', 'a,2024-02,2'], 'M'],
    ['whole numbers', ['a,7,1', 'a,8,2'], '1'],
  ])('%s', async (_, rows, frequency) => {
    const { panel, problems, gaps } = await read(days(...rows));
    expect([panel.frequency.name, problems, gaps]).toEqual([frequency, [], 0]);
    expect([...panel.series[0]!.y]).toEqual([1, 2]);
  });
});

test('series, covariates and texts of a packed file, its columns in any order and by other names', async () => {
  const text = 'price,Shop,week,sold,seen\n5,b,2024-01-01,1,9\n6,a,2024-01-01,2,8\n7,a,2024-01-08,3,7\n';
  const columns = { id: 'shop', time: 'week', target: 'sold', split: null, known: ['price'], past: ['seen'] };
  const { panel, rows } = await read(gzipSync(text), { columns });
  expect(rows).toBe(3);
  expect(panel.frequency.name).toBe('W');
  expect(panel.series.map(({ id, y, known, past }) => [id, [...y], [...known], [...past]])).toEqual([
    ['a', [2, 3], [6, 7], [8, 7]],
    ['b', [1], [5], [9]],
  ]);
  expect(panel.ds).toEqual(['2024-01-01', '2024-01-08']);
});

test('the split column says what is forecast', async () => {
  const text = 'unique_id,ds,y,part\na,1,1,train\na,2,2,train\na,3,3,Test\n';
  const { panel } = await read(text, { columns: { ...COLUMNS, split: 'part' } });
  expect(panel.series[0]!.trainLength).toBe(2);
});

describe('a bad row is told and left out, the others count', () => {
  const GOOD = ['a,2024-01-01,1', 'a,2024-01-02,2', 'a,2024-01-03,3'];
  test.each([
    ['a target that is no number', 'a,2024-01-04,two', 'y', '"two" is no number'],
    ['a target that is infinite', 'a,2024-01-04,Infinity', 'y', 'is no number'],
    ['no target', 'a,2024-01-04,', 'y', 'it is empty; a bucket without sales is 0'],
    ['no date', 'a,2024-02-30,4', 'ds', '"2024-02-30" is no date, time or whole number'],
    ['a number among dates', 'a,4,4', 'ds', '"4" is a number where rows before it have dates'],
    ['no series', ',2024-01-04,4', 'unique_id', 'it is empty'],
    ['a column too few', 'a,2024-01-04', '', 'it has 2 columns, the header has 3'],
    ['the same bucket again', 'a,2024-01-02,9', 'ds', 'the same bucket of a is on line 3, which counts'],
  ])('%s', async (_, row, column, reason) => {
    const { panel, problems } = await read(days(...GOOD, row));
    expect(problems).toEqual([{ line: 5, column, reason: expect.stringContaining(reason) }]);
    expect([...panel.series[0]!.y]).toEqual([1, 2, 3]);
  });

  test('covariates', async () => {
    const text = 'unique_id,ds,y,promo\na,1,1,0\na,2,2,\na,3,3,1\n';
    const { panel, problems, gaps } = await read(text, { columns: { ...COLUMNS, known: ['promo'] } });
    expect(problems).toEqual([{ line: 3, column: 'promo', reason: 'it is empty' }]);
    expect([[...panel.series[0]!.y], gaps]).toEqual([[1, 3], 1]);
  });
});

describe('what cannot be used says why', () => {
  test.each<readonly [string, string, Partial<PanelRequest>, string, string]>([
    [
      'a column that is not there',
      days('a,1,1'),
      { columns: { ...COLUMNS, target: 'z' } },
      'USAGE',
      'no column "z"',
    ],
    [
      'no good row',
      days('a,1,x', 'a,2,x'),
      {},
      'INPUT_INVALID',
      'has no good row. The first problem: line 2, column y',
    ],
    ['one row a series', days('a,2024-01-01,1'), {}, 'INPUT_INVALID', 'cannot be told'],
    [
      'a frequency that is none',
      days('a,1,1'),
      { frequency: 'often' },
      'USAGE',
      '--freq often is no frequency',
    ],
    [
      'hours called days',
      days('a,2024-01-01 00:00,1', 'a,2024-01-01 01:00,1'),
      { frequency: 'D' },
      'USAGE',
      'by h',
    ],
    ['days called an index', days('a,2024-01-01,1', 'a,2024-01-02,1'), { frequency: '1' }, 'USAGE', 'by D'],
    ['an index called days', days('a,1,1', 'a,2,1'), { frequency: 'D' }, 'USAGE', 'by 1'],
  ])('%s', async (_, text, change, code, message) => {
    await expect(read(text, change)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
