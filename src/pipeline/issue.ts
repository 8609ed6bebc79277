/**
 * Forecasts of all series of a table as they stand after its last folded bucket: the bottom level first, sums of it
 * above. The sums are added up in the order of the names, so that they come out the same to the bit wherever and in
 * whatever order the nodes were made.
 *
 * Before they are summed up, the bottom level's means may be reconciled with the sums' own forecasts
 * (`reconciliation.levels`), and then hours with the days that were published (`reconciliation.hours`): both at the
 * bottom, so that what is summed up of it agrees as well.
 */
import type { Config } from '../config.ts';
import { moveTo } from '../hierarchy/move-to.ts';
import type { Bottom, Hierarchy } from '../hierarchy/nodes.ts';
import { hierarchyOf } from '../hierarchy/nodes.ts';
import type { ForecastBuffer } from '../models/engine.ts';
import { createForecastBuffer } from '../models/engine.ts';
import type { Measure } from '../sales/series.ts';
import { MEASURES } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import { createFollowDays } from './follow-days.ts';
import type { FollowDays, PublishedDays } from './follow-days.ts';
import { reconcileLeaves } from './reconcile-leaves.ts';
import type { FoldContext, SeriesTable } from './series-table.ts';
import { createWindows } from './series-table.ts';

/** One series' forecast; `buffer` is reused: read it at once. */
export type IssuedForecast = {
  node: number;
  measure: Measure;
  /** The place of the series' record. */
  place: number;
  reconciled: boolean;
  readonly buffer: ForecastBuffer;
};

export type IssueContext = Pick<FoldContext, 'calendarOf'> & {
  readonly reconciliation: Config['reconciliation'];
  /** What hours are to follow. */
  readonly days: PublishedDays;
};

/** Whether a series' forecast depends on others than those below it: an amendment anywhere then moves all. */
export function movesAll({ levels }: Config['reconciliation']): boolean {
  return levels === 'min-trace' || levels === 'top-down';
}

/** Calls `onForecast` for every series that has begun; yields now and then so that others can run. */
export function* issue(
  table: SeriesTable,
  context: IssueContext,
  onForecast: (forecast: IssuedForecast) => void,
): Generator<void, void> {
  if (table.nextBucketMs === null) return;
  const { reconciliation, days, calendarOf } = context;
  const forecast = createForecasting(table, table.nextBucketMs - BUCKET_MS[table.granularity], context);
  const summed = reconciliation.levels === 'none' ? [] : table.nodes.bottoms();
  const bottoms = summed.filter(({ node }) => forecast.place(node, 0) !== -1);
  const follows = table.granularity === 'hour' && reconciliation.hours === 'to-days';
  const followDays = follows ? createFollowDays(table, days, calendarOf) : null;
  // Where leaves were refused for want of room, sums know of more than their leaves, which would be taken for error.
  const whole = table.nodes.refused() === 0;
  const hierarchy = movesAll(reconciliation) && whole ? hierarchyOf(table.nodes, bottoms) : null;
  for (let m = 0; m < MEASURES.length; m += 1)
    yield* issueMeasure(table, { m, bottoms, hierarchy, followDays, forecast, context }, onForecast);
}

type Forecasting = ReturnType<typeof createForecasting>;

/** The series' own forecasts. */
function createForecasting(table: SeriesTable, bucketMs: number, context: IssueContext) {
  const { engine, nodes, records } = table;
  const windows = createWindows(table, bucketMs, context);
  /** The place of the record; −1 when the series has not begun. */
  function place(node: number, m: number): number {
    const first = records.places[node];
    if (first === undefined || first === -1 || engine.count(records.slab, first) === 0) return -1;
    return first + m * engine.words;
  }
  return {
    place,
    /** Returns the place of the record. */
    write(node: number, m: number, buffer: ForecastBuffer): number {
      const at = place(node, m);
      if (at !== -1) engine.forecast(records.slab, at, windows(nodes.keys[node]?.store), buffer);
      return at;
    },
  };
}

type MeasureContext = {
  /** Which of MEASURES. */
  readonly m: number;
  /** Those that have begun. */
  readonly bottoms: readonly Bottom[];
  /** Null: leaves keep their own means. */
  readonly hierarchy: Hierarchy | null;
  readonly followDays: FollowDays | null;
  readonly forecast: Forecasting;
  readonly context: IssueContext;
};

function* issueMeasure(
  table: SeriesTable,
  { m, bottoms, hierarchy, followDays, forecast, context }: MeasureContext,
  onForecast: (forecast: IssuedForecast) => void,
): Generator<void, void> {
  const { engine, nodes } = table;
  const { horizon } = engine.spec;
  const { levels } = context.reconciliation;
  const leafMeans =
    hierarchy === null || levels === 'none'
      ? null
      : yield* reconcileLeaves(table, hierarchy, levels, (node, buffer) => forecast.write(node, m, buffer));
  const buffer = createForecastBuffer(engine.spec);
  const issued: IssuedForecast = {
    node: 0,
    measure: MEASURES[m] as Measure,
    place: 0,
    reconciled: false,
    buffer,
  };
  const means = new Float64Array(horizon);
  /** Per upper node the sum of its bottom nodes' means. */
  const sums = new Map<number, Float64Array>();

  function followed(node: number): boolean {
    means.set(buffer.mean);
    if (followDays?.follow(node, m, issued.place, means) !== true) return false;
    moveTo(buffer, means);
    return true;
  }

  function addTo(parent: number): void {
    let sum = sums.get(parent);
    if (sum === undefined) sums.set(parent, (sum = new Float64Array(horizon)));
    for (let h = 0; h < horizon; h += 1) sum[h] = (sum[h] as number) + (buffer.mean[h] as number);
  }

  for (const [i, { node, parents }] of bottoms.entries()) {
    issued.node = node;
    issued.place = forecast.write(node, m, buffer);
    issued.reconciled = true;
    if (leafMeans !== null) {
      leafMeans.read(i, means);
      moveTo(buffer, means);
    }
    followed(node);
    for (const parent of parents) addTo(parent);
    onForecast(issued);
    yield;
  }
  const isBottom = new Set(bottoms.map(({ node }) => node));
  for (let node = 0; node < nodes.keys.length; node += 1) {
    if (isBottom.has(node)) continue;
    issued.node = node;
    issued.place = forecast.write(node, m, buffer);
    if (issued.place === -1) continue;
    const sum = sums.get(node);
    if (sum !== undefined) moveTo(buffer, sum);
    issued.reconciled = sum !== undefined || followed(node);
    onForecast(issued);
    yield;
  }
}
