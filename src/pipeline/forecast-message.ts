/** Forecasts as messages of the forecast topic, and as rows of the ledger. */
import type { Engine, ForecastBuffer } from '../models/engine.ts';
import type { SeriesKey } from '../sales/series.ts';
import { formatSeries } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import type { IssuedForecast } from './issue.ts';
import type { BandScore, ForecastMessage, ForecastPoint } from './messages.ts';
import type { SeriesTable } from './series-table.ts';
import type { NowcastPoint } from './nowcasts.ts';

export const MODEL_VERSION = 'online-1';

/** What all forecasts published together have in common. */
export type IssueStamp = {
  readonly kind: ForecastMessage['kind'];
  readonly issuedAtMs: number;
  readonly watermarkMs: number | null;
  readonly eventMs: number | null;
};

export function seriesKey(table: SeriesTable, node: number, measure: SeriesKey['measure']): SeriesKey {
  const key = table.nodes.keys[node];
  if (key === undefined) throw new Error(`no node ${node}`);
  return { granularity: table.granularity, measure, ...key };
}

export function issueMessage(table: SeriesTable, issued: IssuedForecast, stamp: IssueStamp): ForecastMessage {
  const key = seriesKey(table, issued.node, issued.measure);
  const { engine, records } = table;
  const originMs = originOf(table);
  return {
    ...seriesFields(key),
    ...stampFields(stamp, originMs),
    probabilities: engine.spec.probabilities,
    points: points(issued.buffer, engine, originMs, BUCKET_MS[table.granularity]),
    sold: null,
    remaining: null,
    experts: expertWeights(engine, records.slab, issued.place),
    scores: bandScores(engine, records.slab, issued.place),
    reconciled: issued.reconciled,
  };
}

export function nowcastMessage(table: SeriesTable, point: NowcastPoint, stamp: IssueStamp): ForecastMessage {
  const key = seriesKey(table, point.node, point.measure);
  return {
    ...seriesFields(key),
    ...stampFields(stamp, originOf(table)),
    probabilities: table.engine.spec.probabilities,
    points: [{ bucket_ms: point.bucketMs, step: 0, mean: point.total, quantiles: [...point.quantiles] }],
    sold: point.sold,
    remaining: point.remaining,
    experts: [],
    scores: [],
    reconciled: false,
  };
}

/** The start of the last bucket learned: what a forecast rests on. */
export function originOf(table: SeriesTable): number {
  if (table.nextBucketMs === null) throw new Error('a table without buckets has no forecasts');
  return table.nextBucketMs - BUCKET_MS[table.granularity];
}

function seriesFields(key: SeriesKey) {
  return {
    series: formatSeries(key),
    granularity: key.granularity,
    measure: key.measure,
    level: key.level,
    store: key.store ?? null,
    category: key.category ?? null,
    product: key.product ?? null,
  };
}

function stampFields(stamp: IssueStamp, originMs: number) {
  return {
    origin_ms: originMs,
    issued_at_ms: stamp.issuedAtMs,
    watermark_ms: stamp.watermarkMs,
    event_ms: stamp.eventMs,
    model_version: MODEL_VERSION,
    kind: stamp.kind,
    override: null,
  };
}

function points(buffer: ForecastBuffer, engine: Engine, originMs: number, lengthMs: number): ForecastPoint[] {
  const { horizon, probabilities } = engine.spec;
  const count = probabilities.length;
  const list: ForecastPoint[] = [];
  for (let h = 0; h < horizon; h += 1) {
    list.push({
      bucket_ms: originMs + (h + 1) * lengthMs,
      step: h + 1,
      mean: buffer.mean[h] as number,
      quantiles: Array.from(buffer.quantiles.subarray(h * count, (h + 1) * count)),
    });
  }
  return list;
}

/** The experts' weights for the next bucket, the loudest first. */
function expertWeights(
  engine: Engine,
  slab: SeriesTable['records']['slab'],
  place: number,
): ForecastMessage['experts'] {
  const weights = new Float64Array(engine.experts.length);
  engine.weights(slab, place, 0, weights);
  return engine.experts
    .map((expert, i) => ({ name: expert.name, weight: weights[i] as number }))
    .sort((a, b) => b.weight - a.weight);
}

function bandScores(engine: Engine, slab: SeriesTable['records']['slab'], place: number): BandScore[] {
  return engine.bands.map((band, b) => {
    const scores = engine.scores(slab, place, b);
    return {
      band: band.name,
      step: band.scoredStep,
      n: scores.n,
      mase: known(scores.mase),
      wape: known(scores.wape),
      bias: known(scores.bias),
      coverage80: known(scores.coverage80),
      coverage95: known(scores.coverage95),
      skill: known(scores.skill),
    };
  });
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
