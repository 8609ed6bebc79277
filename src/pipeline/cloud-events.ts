/**
 * The headers of CloudEvents 1.0 on records, as its binding to Kafka has them in binary mode: other programs can route
 * and trace a record without its schema.
 */
import type { Headers } from './log.ts';
import type { Topic } from './messages.ts';

/** As schemas/asyncapi says. */
const CONTENT_TYPE = 'application/vnd.confluent.avro';

/** The part of Foretill that writes a record. */
export type EventSource = 'ingest' | 'forecast' | 'http' | 'produce' | 'demo' | 'import';

/** For records of one topic and source. `id` tells each event of the source from all others; `timeMs` is when it happened. */
export function eventHeaders(topic: Topic, source: EventSource): (id: string, timeMs: number) => Headers {
  const common = {
    'content-type': Buffer.from(CONTENT_TYPE),
    ce_specversion: Buffer.from('1.0'),
    ce_type: Buffer.from(topic),
    ce_source: Buffer.from(`/foretill/${source}`),
  };
  return (id, timeMs) => ({
    ...common,
    ce_id: Buffer.from(id),
    ce_time: Buffer.from(new Date(timeMs).toISOString()),
  });
}
