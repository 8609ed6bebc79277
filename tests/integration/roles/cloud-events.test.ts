/** What is written to topics bears the headers that schemas/asyncapi promises. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { createTransactionIntake } from '../../../src/adapters/http/transaction-intake.ts';
import type { LogRecord } from '../../../src/pipeline/log.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { readTopic } from '../../read-topic.ts';
import { sale } from '../../sales/transactions.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { HOUR_MS, steadySales, useRoles } from './roles-fixture.ts';

const openBench = useRoles();
const document = JSON.parse(
  readFileSync(new URL('../../../schemas/asyncapi/foretill.json', import.meta.url), 'utf8'),
) as { components: { schemas: { CloudEventHeaders: { properties: object } } } };
const schema = document.components.schemas.CloudEventHeaders;
const validate = new Ajv({ strict: false, validateFormats: false }).compile({
  ...schema,
  required: Object.keys(schema.properties),
});

function headersOf({ headers }: LogRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, String(bytes)]));
}

test('a transaction taken over HTTP, its totals and the forecasts are CloudEvents', async () => {
  const bench = await openBench();
  await bench.enterSales(steadySales('hour', bench.clock.nowMs() - 240 * HOUR_MS, 200));
  await bench.startForecast();
  await bench.startIngest();
  const message = sale({ begin_time: null, end_time: bench.clock.nowMs() - 1_000, business_date: null });
  const intake = createTransactionIntake({
    ...bench,
    config: bench.config.http,
    read: () => ({ ok: true, message }),
  });
  await intake.take([message]);
  for (const [topic, source] of [
    [TOPICS.transactions, '/foretill/http'],
    [TOPICS.buckets, '/foretill/ingest'],
    [TOPICS.forecasts, '/foretill/forecast'],
  ] as const) {
    await eventually(`${topic} has records`, async () => (await readTopic(bench.log, topic)).length > 0);
    const all = (await readTopic(bench.log, topic)).map(headersOf);
    for (const headers of all) {
      expect(validate(headers), JSON.stringify(headers)).toBe(true);
      expect(headers).toMatchObject({ ce_type: topic, ce_source: source });
      expect(new Date(headers['ce_time'] ?? '').toISOString()).toBe(headers['ce_time']);
    }
    // The clock stands still here, and a series' nowcasts are told apart by it.
    const ids = all.map((headers) => headers['ce_id'] ?? '').filter((id) => !id.startsWith('NOWCAST'));
    expect(new Set(ids).size).toBe(ids.length);
  }
});
