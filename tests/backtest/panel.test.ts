import { describe, expect, test } from 'vitest';
import { buildPanel, createSeriesRows, subset } from '../../src/backtest/panel.ts';
import type { PanelRow } from '../../src/backtest/panel.ts';
import { dailyPanel } from './panels.ts';

const TIMES = [10, 11, 12, 13, 14, 15];

function build(rows: readonly (readonly [number, number, boolean?])[]) {
  const packed = createSeriesRows(0);
  for (const [i, [ds, y, test = false]] of rows.entries())
    packed.add({ ds, y, test, line: i + 2, covariates: [] } satisfies PanelRow);
  const built = buildPanel({
    frequency: { kind: 'index', name: '1' },
    rows: new Map([['a', packed]]),
    ds: TIMES.map(String),
    times: TIMES,
    known: [],
    past: [],
  });
  return { ...built, series: built.panel.series[0]! };
}

describe('rows of a series', () => {
  test('are put in the order of time', () => {
    const { series, gaps } = build([
      [2, 30],
      [0, 10],
      [1, 20],
    ]);
    expect([...series.y]).toEqual([10, 20, 30]);
    expect([...series.index]).toEqual([10, 11, 12]);
    expect([...series.ds]).toEqual([0, 1, 2]);
    expect(gaps).toBe(0);
  });

  test('of two in one bucket the first in the file counts', () => {
    const { series, faults } = build([
      [1, 20],
      [0, 10],
      [1, 99],
    ]);
    expect([...series.y]).toEqual([10, 20]);
    expect(faults).toEqual([{ kind: 'duplicate', id: 'a', line: 4, otherLine: 2 }]);
  });

  test('missing buckets are counted', () => {
    const rows = [
      [0, 1],
      [1, 2],
      [5, 3],
    ] as const;
    expect(build(rows).gaps).toBe(3);
  });

  test('training ends with the first test row', () => {
    const rows = [
      [0, 1],
      [1, 2],
      [2, 3, true],
      [3, 4],
      [4, 5, true],
    ] as const;
    const { series, faults } = build(rows);
    expect(series.trainLength).toBe(2);
    expect(faults).toEqual([{ kind: 'split', id: 'a', line: 5, otherLine: 4 }]);
    expect(build(rows.slice(0, 2)).series.trainLength).toBe(2);
  });

  test('more rows than there was room for at first', () => {
    const packed = createSeriesRows(2);
    for (let i = 0; i < 100; i++)
      packed.add({ ds: i, y: i, covariates: [2 * i, 3 * i], test: false, line: i });
    const { count, stride, values } = packed.rows();
    expect([count, stride]).toEqual([100, 6]);
    expect([...values.subarray(99 * stride, 100 * stride)]).toEqual([99, 99, 99, 0, 198, 297]);
  });
});

test('series are sorted by id, and a part of them is spread evenly over that order', () => {
  const panel = dailyPanel(Object.fromEntries('gfedcba'.split('').map((id) => [id, [1]])));
  expect(panel.series.map(({ id }) => id).join('')).toBe('abcdefg');
  expect(
    subset(panel, 3)
      .series.map(({ id }) => id)
      .join(''),
  ).toBe('ace');
  expect(subset(panel, 9)).toBe(panel);
});

test('covariates lie row by row', () => {
  const { series, known } = dailyPanel({ a: [1, 2] }, { promotion: [0, 1], price: [5, 6] });
  expect(known).toEqual(['promotion', 'price']);
  expect([...series[0]!.known]).toEqual([0, 5, 1, 6]);
});
