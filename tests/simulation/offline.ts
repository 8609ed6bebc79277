/** The same input folded in one go, shard by shard and bucket by bucket from its totals, with none of the streaming in between. */
import type { Config } from '../../src/config.ts';
import { issueMessage } from '../../src/pipeline/forecast-message.ts';
import { BUCKET_MS } from '../../src/pipeline/bucket-length.ts';
import { issue } from '../../src/pipeline/issue.ts';
import { keepNear } from '../../src/pipeline/nowcasts.ts';
import type { FoldContext, SeriesTable } from '../../src/pipeline/series-table.ts';
import { addNodes, ensureAllRecords, fold } from '../../src/pipeline/series-table.ts';
import { createShard } from '../../src/pipeline/shard.ts';
import type { StoreCalendar } from '../../src/sales/calendar.ts';
import { bucketEndMs } from '../../src/sales/calendar.ts';
import type { LeafTotals } from '../../src/sales/leaf-totals.ts';
import type { ExpectedLeaf } from './traffic.ts';

export type Offline = { readonly states: Map<string, string>; readonly forecasts: Map<string, string> };

type Input = {
  readonly totals: ReadonlyMap<string, ExpectedLeaf>;
  readonly config: Config;
  readonly untilMs: number;
};

export function offlineRun(
  totals: ReadonlyMap<string, ExpectedLeaf>,
  config: Config,
  untilMs: number,
): Offline {
  const states = new Map<string, string>();
  const forecasts = new Map<string, string>();
  for (let shard = 0; shard < config.shards; shard += 1)
    foldShard(shard, { totals, config, untilMs }, { states, forecasts });
  return { states, forecasts };
}

function foldShard(index: number, { totals, config, untilMs }: Input, { states, forecasts }: Offline): void {
  const shard = createShard(index, config);
  const calendarOf = (store: string | undefined): StoreCalendar => ({
    timeZone: store === '9' ? 'America/Los_Angeles' : config.timeZone,
    businessDayStartMinutes: config.businessDayStartMinutes,
  });
  const context: FoldContext = { calendarOf, minorPerUnit: 100 };
  for (const table of Object.values(shard.tables)) {
    const leaves = leafTotals(totals, table.granularity);
    for (const sku of leaves.sku) shard.tracked.add(sku);
    const products = table.granularity === 'day' ? leaves : null;
    const fromMs = leaves.bucketMs[0] as number;
    let beforeMs = fromMs;
    const ended = (bucketMs: number): boolean =>
      ['406', '9'].every((store) => bucketEndMs(table.granularity, bucketMs, calendarOf(store)) <= untilMs);
    while (ended(beforeMs)) beforeMs += BUCKET_MS[table.granularity];
    addNodes(table, { leaves, products });
    ensureAllRecords(table);
    for (const bucketMs of fold(
      table,
      table.records,
      { fromMs, beforeMs, totals: { leaves, products } },
      context,
    )) {
      if (bucketMs !== null) table.nextBucketMs = bucketMs + BUCKET_MS[table.granularity];
    }
    keepStates(table, states);
  }
  const { reconciliation } = config;
  const days = { table: shard.tables.day, near: shard.near.day };
  for (const granularity of ['day', 'hour'] as const) {
    const table = shard.tables[granularity];
    for (const _ of issue(table, { calendarOf, reconciliation, days }, (issued) => {
      keepNear(shard.near[granularity], issued.node, issued.measure, issued.buffer.mean);
      const stamp = { kind: 'ISSUE', issuedAtMs: 0, watermarkMs: 0, eventMs: null } as const;
      const { series, origin_ms, points, experts, scores, reconciled } = issueMessage(table, issued, stamp);
      forecasts.set(series, JSON.stringify({ origin_ms, points, experts, scores, reconciled }));
    }));
  }
}

function keepStates(table: SeriesTable, states: Map<string, string>): void {
  const { engine, nodes, records } = table;
  for (const [node, key] of nodes.keys.entries()) {
    const place = records.places[node] as number;
    if (engine.count(records.slab, place) === 0) continue;
    const words = records.slab.f64.slice(place, place + 2 * engine.words);
    states.set(`${table.granularity} ${JSON.stringify(key)}`, Buffer.from(words.buffer).toString('base64'));
  }
}

function leafTotals(totals: ReadonlyMap<string, ExpectedLeaf>, wanted: string): LeafTotals {
  const rows = [...totals]
    .map(([key, total]) => ({ parts: key.split('|'), ...total }))
    .filter(({ parts }) => parts[0] === wanted)
    .sort((a, b) => Number(a.parts[1]) - Number(b.parts[1]));
  return {
    bucketMs: rows.map(({ parts }) => Number(parts[1])),
    storeId: rows.map(({ parts }) => parts[2] as string),
    category: rows.map(({ parts }) => parts[3] as string),
    sku: rows.map(({ parts }) => parts[4] as string),
    unitsThousandths: rows.map(({ units }) => units),
    revenueMinor: rows.map(({ revenue }) => revenue),
  };
}
