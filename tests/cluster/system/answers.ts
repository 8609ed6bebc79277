/** What role serve answers for, against what the forecast topic holds. */
import { forecastView } from '../../../src/adapters/websocket/forecast-view.ts';
import type { ForecastView } from '../../../src/adapters/websocket/forecast-view.ts';
import { latestMessages } from '../../simulation/outcome.ts';
import { differences } from '../../simulation/verdict.ts';
import type { ClusterSystem } from './cluster-system.ts';
import type { RoleProcess } from './role-process.ts';

/** In sentences, where the latest forecasts over HTTP are not those of the topic. */
export async function answerFaults({ platform }: ClusterSystem, serve: RoleProcess): Promise<string[]> {
  const expected = new Map(
    [...(await latestMessages(platform))].map(([series, message]) => [series, textOf(forecastView(message))]),
  );
  const url = `${await serve.url()}/api/v1/forecasts?limit=1000`;
  const found = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const answer = await fetch(cursor === '' ? url : `${url}&cursor=${encodeURIComponent(cursor)}`);
    const page = (await answer.json()) as { items: ForecastView[]; next: string | null };
    for (const item of page.items) found.set(item.series, textOf(item));
    cursor = page.next;
  }
  return differences('forecasts over HTTP', found, expected);
}

function textOf({ origin, issued_at, kind, buckets, mean, quantiles }: ForecastView): string {
  return JSON.stringify({ origin, issued_at, kind, buckets, mean, quantiles });
}
