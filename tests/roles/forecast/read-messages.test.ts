import { afterAll, expect, test } from 'vitest';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { resolveConfig } from '../../../src/config.ts';
import type { LogRecord } from '../../../src/pipeline/log.ts';
import type { BucketMessage } from '../../../src/pipeline/messages.ts';
import { deadLetterTopic, TOPICS, topicSpecs } from '../../../src/pipeline/topics.ts';
import { readMessages } from '../../../src/roles/forecast/read-messages.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { openTemporaryLog } from '../../adapters/sqlite-log/open-temporary.ts';

const codec = await createCodec();
const temporary = await openTemporaryLog();
afterAll(() => temporary.dispose());

const MESSAGE: BucketMessage = {
  source_topic: TOPICS.transactions,
  source_partition: 0,
  watermark_ms: 5,
  kind: 'LIVE',
  open: [],
  amended: [],
  last_event_ms: null,
};

test('bytes that are no message become dead letters and are counted; the rest is heard, with its offsets', async () => {
  const { log } = temporary;
  await log.ensureTopics(topicSpecs(resolveConfig()));
  const telemetry = createTelemetry({ level: 'silent' });
  const values = [
    codec.encode(TOPICS.buckets, MESSAGE),
    Buffer.from('noise'),
    null,
    codec.encode(TOPICS.buckets, MESSAGE),
  ];
  const records = values.map((value, i): LogRecord => ({
    offset: 40 + i,
    timestampMs: 7,
    key: null,
    value,
    headers: {},
  }));
  const batch = { topic: TOPICS.buckets, partition: 0, records, highWatermark: 44 };
  const heard = await readMessages(batch, { codec, log, telemetry });
  expect(heard).toEqual([
    { message: MESSAGE, offset: 40 },
    { message: MESSAGE, offset: 43 },
  ]);
  const letters = (await log.offsets(deadLetterTopic(TOPICS.buckets))).get(0);
  // Also the record without a value: whoever cleared it wants to know that nobody read it.
  expect(letters).toEqual({ start: 0, end: 2 });
  expect(await telemetry.metrics.registry.metrics()).toMatch(
    /foretill_dropped_total\{what="undecodable_malformed"\} 2/,
  );
});
