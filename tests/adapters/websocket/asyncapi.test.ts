import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Ajv } from 'ajv';
import { alertView } from '../../../src/adapters/websocket/alert-view.ts';
import { snapshotOf } from '../../../src/adapters/websocket/feed-opening.ts';
import { parseClientMessage } from '../../../src/adapters/websocket/feed-protocol.ts';
import { forecastView, nowcastView, scoreView } from '../../../src/adapters/websocket/forecast-view.ts';
import { createLatest } from '../../../src/adapters/websocket/latest.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { forecastMessage, nowcastMessage, storeSeries } from './forecast-messages.ts';

type Json = { readonly [key: string]: unknown };

const FILE = new URL('../../../schemas/asyncapi/foretill.json', import.meta.url);
const document = JSON.parse(readFileSync(FILE, 'utf8')) as Json & { channels: Record<string, Json> };

/** Every `$ref` of the document. */
function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (name === '$ref') yield String(part);
    else yield* references(part);
  }
}

function resolves(reference: string): boolean {
  if (!reference.startsWith('#/')) return existsSync(new URL(reference, FILE));
  const path = reference.slice(2).split('/');
  return path.reduce<unknown>((part, name) => (part as Json | undefined)?.[name], document) !== undefined;
}

test('the AsyncAPI document names every topic, and nothing that is not there', () => {
  expect(document['asyncapi']).toBe('3.0.0');
  expect(Object.keys(document.channels).sort()).toEqual(['feed', ...Object.values(TOPICS)].sort());
  expect([...references(document)].filter((reference) => !resolves(reference))).toEqual([]);
});

describe('messages of the feed are as the document says', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'doc', ...document });
  const latest = createLatest({ seriesMax: 5, onDropped: () => {} });
  latest.apply(forecastMessage(storeSeries('406')));
  latest.apply(nowcastMessage({ ...storeSeries('406') }));
  const snapshot = [...snapshotOf({ id: 'a', epoch: 'e', seq: 2, filter: {}, latest })][0]!;
  const alert = alertView({
    ...forecastMessage(storeSeries('406')),
    alert_id: '1',
    kind: 'drift',
    severity: 'WARNING',
    message: 'Forecasts have become worse.',
    value: 2,
    threshold: 1,
    since_ms: 0,
    resolved_ms: null,
    error_before: 0.08,
    error_after: 0.31,
  });
  const cases: [string, unknown][] = [
    ['Snapshot', JSON.parse(snapshot.toString())],
    ['ForecastMessage', { type: 'forecast', seq: 1, ...forecastView(forecastMessage()) }],
    ['ScoreMessage', { type: 'score', seq: 1, ...scoreView(forecastMessage()) }],
    ['NowcastMessage', { type: 'nowcast', seq: 1, ...nowcastView(nowcastMessage()) }],
    ['AlertMessage', { type: 'alert', seq: 1, ...alert.body }],
  ];
  test.each(cases)('%s', (name, message) => {
    const validate = ajv.getSchema(`doc#/components/schemas/${name}`)!;
    expect(validate(message), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ type: 'something else' })).toBe(false);
  });

  test('what the document lets a client say is understood', () => {
    const said = { type: 'subscribe', id: 'a', filter: { level: 'store' }, resume: { epoch: 'e', seq: 1 } };
    const validate = ajv.getSchema('doc#/components/schemas/Subscribe')!;
    expect(validate(said)).toBe(true);
    expect(parseClientMessage(JSON.stringify(said)).ok).toBe(true);
  });
});
