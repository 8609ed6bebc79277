/**
 * Forecasts of all series of a table as they stand after its last folded bucket: the bottom level first, sums of it
 * above. The sums are added up in the order of the names, so that they come out the same to the bit wherever and in
 * whatever order the nodes were made.
 */
import { addLeaf, moveToSum } from '../hierarchy/bottom-up.ts';
import type { ForecastBuffer } from '../models/engine.ts';
import { createForecastBuffer } from '../models/engine.ts';
import type { Measure } from '../sales/series.ts';
import { MEASURES } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
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

/** Calls `onForecast` for every series that has begun; yields now and then so that others can run. */
export function* issue(
  table: SeriesTable,
  context: Pick<FoldContext, 'calendarOf'>,
  onForecast: (forecast: IssuedForecast) => void,
): Generator<void, void> {
  if (table.nextBucketMs === null) return;
  const { engine, nodes, records } = table;
  const { horizon } = engine.spec;
  const lastBucketMs = table.nextBucketMs - BUCKET_MS[table.granularity];
  const windows = createWindows(table, lastBucketMs, context);
  const issued: IssuedForecast = {
    node: 0,
    measure: 'units',
    place: 0,
    reconciled: false,
    buffer: createForecastBuffer(engine.spec),
  };
  /** Per upper node the sum of its bottom nodes' means, by measure. */
  const sums = new Map<number, readonly Float64Array[]>();
  const sumsOf = (node: number): readonly Float64Array[] => {
    let sum = sums.get(node);
    if (sum === undefined) sums.set(node, (sum = MEASURES.map(() => new Float64Array(horizon))));
    return sum;
  };

  function forecastNode(node: number, each: (m: number) => void): void {
    const place = records.places[node];
    if (place === undefined || place === -1 || engine.count(records.slab, place) === 0) return;
    for (const [m, measure] of MEASURES.entries()) {
      issued.node = node;
      issued.measure = measure;
      issued.place = place + m * engine.words;
      engine.forecast(records.slab, issued.place, windows(nodes.keys[node]?.store), issued.buffer);
      each(m);
      onForecast(issued);
    }
  }

  const bottoms = nodes.bottoms();
  const isBottom = new Set<number>();
  for (const { node, parents } of bottoms) {
    isBottom.add(node);
    issued.reconciled = true;
    forecastNode(node, (m) => {
      for (const parent of parents) addLeaf(sumsOf(parent)[m]!, issued.buffer.mean);
    });
    yield;
  }
  for (let node = 0; node < nodes.keys.length; node += 1) {
    if (isBottom.has(node)) continue;
    const sum = sums.get(node);
    issued.reconciled = sum !== undefined;
    forecastNode(node, (m) => {
      if (sum !== undefined) moveToSum(issued.buffer, sum[m]!);
    });
    yield;
  }
}
