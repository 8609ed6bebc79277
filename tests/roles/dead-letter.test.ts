import { describe, expect, test, onTestFinished } from 'vitest';
import type { LogRecord } from '../../src/pipeline/log.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { appendDeadLetters, deadLetter } from '../../src/roles/dead-letter.ts';
import type { Refusal } from '../../src/roles/dead-letter.ts';
import { openTemporaryLog } from '../adapters/sqlite-log/open-temporary.ts';
import { readTopic } from '../read-topic.ts';

const PLACE = { topic: TOPICS.transactions, partition: 2 };
const RECORD: LogRecord = {
  offset: 7,
  timestampMs: 5,
  key: Buffer.from('406'),
  value: Buffer.from('bytes'),
  headers: { ce_id: Buffer.from('1') },
};
const REFUSAL: Refusal = { stage: 'parse', reason: 'out_of_range', message: 'too much' };
const CARD = '4111 1111 1111 1111';

function headersOf({ headers }: ReturnType<typeof deadLetter>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, bytes]) => [name, bytes.toString()]));
}

describe('a letter', () => {
  test.each([
    ['short', 'too much', 'too much'],
    ['as long as may be', 'x'.repeat(4_096), 'x'.repeat(4_096)],
    ['too long', 'x'.repeat(4_097), `${'x'.repeat(4_093)}…`],
    ['too long, of wide characters', '漢'.repeat(2_000), `${'漢'.repeat(1_364)}…`],
  ])('has an error that is %s', (_, message, expected) => {
    expect(headersOf(deadLetter(PLACE, RECORD, { ...REFUSAL, message }))['foretill-error']).toBe(expected);
  });

  test('of a record that was put back keeps how often', () => {
    const headers = { 'foretill-replays': Buffer.from('3') };
    expect(headersOf(deadLetter(PLACE, { ...RECORD, headers }, REFUSAL))['foretill-replays']).toBe('3');
  });

  test('of a card number has nothing that holds it', () => {
    const record = {
      ...RECORD,
      key: Buffer.from(CARD),
      headers: { ce_id: Buffer.from('1'), card: Buffer.from(CARD) },
    };
    const letter = deadLetter(PLACE, record, { ...REFUSAL, reason: 'card_data' });
    expect(letter).toMatchObject({ key: null, value: null });
    expect(headersOf(letter)).toEqual({
      ce_id: '1',
      'foretill-topic': TOPICS.transactions,
      'foretill-partition': '2',
      'foretill-offset': '7',
      'foretill-timestamp': '5',
      'foretill-stage': 'parse',
      'foretill-reason': 'card_data',
      'foretill-error': 'too much',
      'foretill-omitted': 'card_data',
      'foretill-omitted-bytes': '5',
    });
  });
});

describe('letters', () => {
  async function write(records: readonly LogRecord[], recordBytesMax: number): Promise<LogRecord[]> {
    const temporary = await openTemporaryLog({ limits: { recordBytesMax } });
    onTestFinished(() => temporary.dispose());
    await temporary.log.ensureTopics([{ name: 't.dlq', partitions: 1 }]);
    const letters = records.map((record) => deadLetter(PLACE, record, REFUSAL));
    await appendDeadLetters(temporary.log, 't.dlq', letters);
    return readTopic(temporary.log, 't.dlq');
  }

  test('that fit go as they are', async () => {
    const written = await write([RECORD, RECORD], 10_000);
    expect(written.map(({ value }) => String(value))).toEqual(['bytes', 'bytes']);
  });

  test.each<[string, Partial<LogRecord>, string | null]>([
    ['value', { value: Buffer.alloc(10_000) }, '406'],
    ['header', { headers: { large: Buffer.alloc(10_000), 'foretill-replays': Buffer.from('1') } }, '406'],
    ['key', { key: Buffer.alloc(10_000) }, null],
  ])(
    'with a %s that the topic does not take say where the rest lies, and those beside them go whole',
    async (_, large, key) => {
      const written = await write([RECORD, { ...RECORD, ...large }, RECORD], 10_000);
      expect(written.map(({ value }) => value?.toString() ?? null)).toEqual(['bytes', null, 'bytes']);
      const cut = written[1] as LogRecord;
      expect(cut.key?.toString() ?? null).toBe(key);
      expect(headersOf(cut)).toMatchObject({
        'foretill-topic': TOPICS.transactions,
        'foretill-partition': '2',
        'foretill-offset': '7',
        'foretill-omitted': 'too_large',
        'foretill-omitted-bytes': String((large.value ?? RECORD.value)?.length),
      });
      expect(cut.headers).not.toHaveProperty('large');
    },
  );

  test('that cannot be written at all are an error', async () => {
    await expect(write([RECORD], 100)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
