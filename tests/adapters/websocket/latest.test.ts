import { describe, expect, test } from 'vitest';
import { createLatest } from '../../../src/adapters/websocket/latest.ts';
import { HOUR_MS } from '../../../src/sales/durations.ts';
import type { ForecastMessage } from '../../../src/pipeline/messages.ts';
import { forecastMessage, nowcastMessage, storeSeries } from './forecast-messages.ts';

const ORIGIN = Date.UTC(2017, 8, 1, 12);

function fold(messages: readonly ForecastMessage[], seriesMax = 10) {
  let dropped = 0;
  const latest = createLatest({ seriesMax, onDropped: () => void (dropped += 1) });
  const changes = messages.map((message) => latest.apply(message)?.kind ?? null);
  return { latest, changes, dropped: () => dropped };
}

describe('the latest of every series', () => {
  const first = forecastMessage({ origin_ms: ORIGIN, value: 100 });
  const second = forecastMessage({ origin_ms: ORIGIN + HOUR_MS, value: 200 });
  const cases: [string, ForecastMessage[], (string | null)[], number | undefined, number | undefined][] = [
    ['a forecast', [first], ['forecast'], 100, undefined],
    ['a newer one replaces it', [first, second], ['forecast', 'forecast'], 200, undefined],
    ['an older one does not', [second, first], ['forecast', null], 200, undefined],
    ['the same again changes nothing', [second, second], ['forecast', 'forecast'], 200, undefined],
    [
      'a nowcast of the open bucket stays',
      [first, nowcastMessage({ origin_ms: ORIGIN })],
      ['forecast', 'nowcast'],
      100,
      100,
    ],
    [
      'and goes when its bucket closes',
      [nowcastMessage({ origin_ms: ORIGIN }), second],
      ['nowcast', 'forecast'],
      200,
      undefined,
    ],
    [
      'a nowcast of a closed bucket comes too late',
      [second, nowcastMessage({ origin_ms: ORIGIN })],
      ['forecast', null],
      200,
      undefined,
    ],
    [
      'a nowcast without a total says nothing',
      [{ ...nowcastMessage(), sold: null }],
      [null],
      undefined,
      undefined,
    ],
  ];
  test.each(cases)('%s', (_, messages, changes, forecast, nowcast) => {
    const folded = fold(messages);
    const entry = folded.latest.get('hour/revenue/total');
    expect(folded.changes).toEqual(changes);
    expect(entry?.forecast?.view.mean[0]).toBe(forecast);
    expect(entry?.nowcasts[0]?.view.mean).toBe(nowcast);
  });

  test('a bucket that waits to be closed keeps its nowcast beside the one that has begun', () => {
    const { latest } = fold([
      nowcastMessage({ origin_ms: ORIGIN + HOUR_MS, soldSoFar: 1, rest: 1 }),
      nowcastMessage({ origin_ms: ORIGIN, soldSoFar: 2, rest: 2 }),
      nowcastMessage({ origin_ms: ORIGIN, soldSoFar: 3, rest: 3, issued_at_ms: ORIGIN + 2 * HOUR_MS }),
    ]);
    const nowcasts = latest.get('hour/revenue/total')!.nowcasts;
    expect(nowcasts.map(({ view }) => [view.bucket, view.mean])).toEqual([
      ['2017-09-01T13:00:00Z', 6],
      ['2017-09-01T14:00:00Z', 2],
    ]);
  });

  test('beyond the limit a new series is dropped and counted, a known one goes on', () => {
    const stores = ['1', '2', '3'].map((store) => forecastMessage(storeSeries(store)));
    const folded = fold([...stores, forecastMessage({ ...storeSeries('1'), value: 7 })], 2);
    expect(folded.latest.size).toBe(2);
    expect(folded.dropped()).toBe(1);
    expect(folded.latest.get('day/revenue/store=1')?.forecast?.view.mean[0]).toBe(7);
  });

  test('is listed by name, also after more has come', () => {
    const folded = fold(['3', '1'].map((store) => forecastMessage(storeSeries(store))));
    expect(folded.latest.sorted().map(({ series }) => series.store)).toEqual(['1', '3']);
    folded.latest.apply(forecastMessage(storeSeries('2')));
    expect(folded.latest.sorted().map(({ series }) => series.store)).toEqual(['1', '2', '3']);
  });

  test('JSON has ISO times, four decimals and only the keys of its level', () => {
    const { latest } = fold([
      forecastMessage({ ...storeSeries('406'), origin_ms: Date.UTC(2017, 8, 1), value: 1 / 3 }),
    ]);
    const json = JSON.parse(latest.get('day/revenue/store=406')!.forecast!.json()) as Record<string, unknown>;
    expect(json).toMatchObject({
      series: 'day/revenue/store=406',
      store: '406',
      origin: '2017-09-01T00:00:00Z',
      buckets: ['2017-09-02T00:00:00Z', '2017-09-03T00:00:00Z', '2017-09-04T00:00:00Z'],
      mean: [0.3333, 0.3333, 0.3333],
    });
    expect(Object.keys(json)).not.toContain('category');
  });
});
