import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../src/sales/durations.ts';
import type { Records, SeriesTable } from '../../src/pipeline/series-table.ts';
import {
  addNodes,
  createRecords,
  ensureAllRecords,
  ensureRecords,
  fold,
} from '../../src/pipeline/series-table.ts';
import { before, copyFrom, createSnapshots, refresh, take } from '../../src/pipeline/snapshots.ts';
import type { Snapshots } from '../../src/pipeline/snapshots.ts';
import { MEASURES } from '../../src/sales/series.ts';
import { CONTEXT, createTable, expectSameStates, learn, makeLeaves, statesOf, totalsOf } from './chain.ts';
import type { Leaf } from './chain.ts';

const DAYS = 30;
const UNTIL_MS = DAYS * DAY_MS;

/** A table that has learned everything, with a copy after every so many days. */
function learned(leaves: readonly Leaf[], every: number, limits = { bytesMax: 1e9, countMax: 12 }) {
  const table = createTable('day');
  const snapshots = createSnapshots(limits);
  learn(table, leaves, { fromMs: 0, beforeMs: UNTIL_MS, chunk: every }, () => {
    if (((table.nextBucketMs as number) / DAY_MS) % every === 0) take(snapshots, table);
  });
  return { table, snapshots };
}

/** Folds again, as the role does, the series that the predicate names, from the last copy before the bucket. */
function foldAgain(
  { table, snapshots }: { table: SeriesTable; snapshots: Snapshots },
  leaves: readonly Leaf[],
  amendment: { fromMs: number; concerns: (node: number) => boolean },
): void {
  const words = MEASURES.length * table.engine.words;
  const base = before(snapshots, amendment.fromMs);
  const scratch = createRecords();
  const range = { fromMs: base?.nextBucketMs ?? 0, beforeMs: table.nextBucketMs as number };
  const totals = totalsOf(leaves, range.fromMs, range.beforeMs);
  addNodes(table, totals);
  ensureAllRecords(table);
  const nodes = [...table.nodes.keys.keys()].filter(amendment.concerns);
  for (const node of nodes) {
    ensureRecords(scratch, table.engine, node);
    if (base !== undefined) copyFrom(base, table.records, scratch, { node, words });
  }
  const began = (place: number): boolean => table.engine.count(scratch.slab, place) > 0;
  for (const bucketMs of fold(table, scratch, { ...range, totals }, CONTEXT)) {
    if (bucketMs === null) continue;
    refresh(snapshots, bucketMs + DAY_MS, table.records, { records: scratch, nodes, words, began });
  }
  for (const node of nodes) copyRecord(scratch, table.records, node, words);
}

function copyRecord(from: Records, to: Records, node: number, words: number): void {
  const at = from.places[node] as number;
  to.slab.f64.set(from.slab.f64.subarray(at, at + words), to.places[node]);
}

/** Every copy holds what the table held when it had learned as much. */
function expectTrueCopies(
  { table, snapshots }: { table: SeriesTable; snapshots: Snapshots },
  leaves: readonly Leaf[],
): void {
  for (const snapshot of snapshots.list) {
    const then = createTable('day');
    learn(then, leaves, { fromMs: 0, beforeMs: snapshot.nextBucketMs, chunk: DAYS });
    const copy = createTable('day');
    for (const key of table.nodes.keys) copy.nodes.add(key);
    ensureAllRecords(copy);
    copy.records.slab.f64.set(snapshot.words);
    expect(statesOf(copy).size).toBeGreaterThan(0);
    expectSameStates(copy, then);
  }
}

describe('an amendment of one store', () => {
  const leaves = makeLeaves({ seed: 'amended', granularity: 'day', fromMs: 0, buckets: DAYS });

  test.each([0, 1, 9, 10, 11, 25, 29])('on day %i comes to what learning it all anew does', (day) => {
    const state = learned(leaves, 5);
    const late = {
      bucketMs: day * DAY_MS,
      storeId: '9',
      category: 'BREAD',
      sku: 'rye',
      units: 7_777,
      revenue: 5,
    };
    const amended = [...leaves, late];
    const { keys } = state.table.nodes;
    foldAgain(state, amended, {
      fromMs: late.bucketMs,
      concerns: (node) => keys[node]?.store === undefined || keys[node]?.store === '9',
    });
    const anew = createTable('day');
    learn(anew, amended, { fromMs: 0, beforeMs: UNTIL_MS, chunk: DAYS });
    expectSameStates(state.table, anew);
    expectTrueCopies(state, amended);
  });

  test('that begins a series before copies without a place for it, too', () => {
    const state = learned(leaves, 5);
    const late = {
      bucketMs: 7 * DAY_MS,
      storeId: 'new',
      category: 'FISH',
      sku: 'cod',
      units: 1_000,
      revenue: 9,
    };
    const amended = [...leaves, late];
    foldAgain(state, amended, { fromMs: late.bucketMs, concerns: () => true });
    const anew = createTable('day');
    learn(anew, amended, { fromMs: 0, beforeMs: UNTIL_MS, chunk: DAYS });
    expectSameStates(state.table, anew);
    expectTrueCopies(state, amended);
    // The copies that could not hold the new series are gone, the one from before it began is not.
    expect(state.snapshots.list.map(({ nextBucketMs }) => nextBucketMs / DAY_MS)).toEqual([5]);
    // Another one is amended from there.
    const more = { ...late, bucketMs: 20 * DAY_MS };
    foldAgain(state, [...amended, more], { fromMs: more.bucketMs, concerns: () => true });
    const again = createTable('day');
    learn(again, [...amended, more], { fromMs: 0, beforeMs: UNTIL_MS, chunk: DAYS });
    expectSameStates(state.table, again);
  });

  test('that takes a series’ only sales away leaves it as if it had never begun', () => {
    const only = {
      bucketMs: 12 * DAY_MS,
      storeId: '9',
      category: 'FISH',
      sku: 'cod',
      units: 1_000,
      revenue: 9,
    };
    const state = learned([...leaves, only], 5);
    foldAgain(state, leaves, { fromMs: only.bucketMs, concerns: () => true });
    const never = createTable('day');
    learn(never, leaves, { fromMs: 0, beforeMs: UNTIL_MS, chunk: DAYS });
    expectSameStates(state.table, never);
    expectTrueCopies(state, leaves);
  });
});

describe('the copies kept', () => {
  const DAY_LEAVES = makeLeaves({ seed: 'kept', granularity: 'day', fromMs: 0, buckets: 3 });

  /** Takes a copy after each of so many days, without learning anything. */
  function takeDaily(
    days: number,
    limits: { bytesMax: number; countMax: number },
  ): { ages: number[]; bytes: number } {
    const table = createTable('day');
    learn(table, DAY_LEAVES, { fromMs: 0, beforeMs: 3 * DAY_MS, chunk: 3 });
    const snapshots = createSnapshots(limits);
    for (let day = 1; day <= days; day += 1) {
      table.nextBucketMs = day * DAY_MS;
      take(snapshots, table);
    }
    return {
      ages: snapshots.list.map(({ nextBucketMs }) => days - nextBucketMs / DAY_MS),
      bytes: snapshots.list.reduce((sum, { words }) => sum + words.byteLength, 0),
    };
  }

  test('are all there are while there is room', () => {
    expect(takeDaily(5, { bytesMax: 1e9, countMax: 12 }).ages).toEqual([4, 3, 2, 1, 0]);
  });

  test('lie close together near now and further apart before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1_000 }), fc.integer({ min: 8, max: 16 }), (days, countMax) => {
        const { ages } = takeDaily(days, { bytesMax: 1e9, countMax });
        expect(ages).toHaveLength(countMax);
        expect(ages.slice(-2)).toEqual([1, 0]);
        // Something from long ago is kept…
        expect(ages[0]).toBeGreaterThan(days / 8);
        // …and folding again from the copy before any day is at most a few times as long as that day is ago.
        const cost = (age: number): number =>
          (ages.findLast((each) => each >= age) ?? days) / Math.max(age, 1);
        const worst = Math.max(...Array.from({ length: days }, (_, age) => cost(age)));
        expect(worst).toBeLessThan(6);
      }),
      { numRuns: 15 },
    );
  });

  test('stay within their number and bytes, and are none where one is too large', () => {
    const one = takeDaily(1, { bytesMax: 1e9, countMax: 1 });
    expect(one.ages).toEqual([0]);
    expect(takeDaily(20, { bytesMax: 1e9, countMax: 1 }).ages).toEqual([0]);
    expect(takeDaily(20, { bytesMax: 3.5 * one.bytes, countMax: 12 }).bytes).toBe(3 * one.bytes);
    expect(takeDaily(20, { bytesMax: one.bytes - 1, countMax: 12 }).ages).toEqual([]);
  });

  test('are the latest at or before the bucket, or none', () => {
    const { snapshots } = learned(
      makeLeaves({ seed: 'kept', granularity: 'day', fromMs: 0, buckets: DAYS }),
      10,
    );
    const at = (day: number): number | undefined => before(snapshots, day * DAY_MS)?.nextBucketMs;
    expect([9, 10, 19, 20, 100].map(at)).toEqual(
      [undefined, 10, 10, 20, 30].map((day) => day && day * DAY_MS),
    );
  });
});
