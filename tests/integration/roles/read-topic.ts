/** Everything a topic holds, for tests: copies, partition after partition. */
import { scan } from '../../../src/commands/dlq/scan.ts';
import type { Log, LogRecord } from '../../../src/pipeline/log.ts';

export async function readTopic(log: Pick<Log, 'tail' | 'offsets'>, topic: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  await scan(log, { topic, ranges: await log.offsets(topic) }, (_, records) => {
    for (const record of records) found.push(copyOf(record));
  });
  return found;
}

function copyOf(record: LogRecord): LogRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, Buffer.from(bytes)])),
  };
}
