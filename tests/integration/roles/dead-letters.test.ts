/** Refused records through the real roles: all of them, and only they, end in the dead letters, whole; and come back. */
import { describe, expect, test } from 'vitest';
import { readTotals } from '../../../src/adapters/clickhouse/sales-table.ts';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import { ForetillError } from '../../../src/errors.ts';
import { replayLetters } from '../../../src/commands/dlq/replay-letters.ts';
import type { ReplayOutcome } from '../../../src/commands/dlq/replay-letters.ts';
import { planReplay, replayTargets } from '../../../src/commands/dlq/replay-plan.ts';
import { readReplayed } from '../../../src/commands/dlq/replayed.ts';
import { deadLetterTopics } from '../../../src/commands/dlq/topics.ts';
import type { Log, OutgoingRecord } from '../../../src/pipeline/log.ts';
import { deadLetterTopic, REPLAYED_TOPIC, TOPICS } from '../../../src/pipeline/topics.ts';
import { INGEST_GROUP } from '../../../src/roles/ingest/ingest.ts';
import type { TransactionMessage } from '../../../src/sales/transaction-message.ts';
import { expectedLetterText, letterText, poison } from '../../poison.ts';
import type { Poison } from '../../poison.ts';
import { sale } from '../../sales/transactions.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { readTopic } from '../../read-topic.ts';
import { HOUR_MS, useRoles } from './roles-fixture.ts';
import type { Bench } from './roles-fixture.ts';

const openBench = useRoles();
const MINUTE_MS = HOUR_MS / 60;
/** Nine in the morning in New York, on a day when all poison has been sold for a week. */
const NINE_MS = Date.UTC(2017, 2, 20, 13);
const LETTERS = deadLetterTopic(TOPICS.transactions);
const BUCKET_LETTERS = deadLetterTopic(TOPICS.buckets);
const SEED = 'dead-letters';

/** One piece of rye a ticket. */
function ticket(id: string, change: Partial<TransactionMessage> = {}): TransactionMessage {
  const [line] = sale({}).lines;
  return sale({
    event_id: id,
    transaction_id: id,
    begin_time: null,
    end_time: NINE_MS,
    business_date: null,
    lines: [{ ...line!, sku: 'rye', quantity_thousandths: 1000 }],
    ...change,
  });
}

function recordOf(bench: Bench, message: TransactionMessage): OutgoingRecord {
  return { key: Buffer.from(message.store_id), value: bench.codec.encode(TOPICS.transactions, message) };
}

async function settled(bench: Bench): Promise<void> {
  await eventually('everything is committed', async () => {
    const end = (await bench.log.offsets(TOPICS.transactions)).get(0)?.end;
    return (await bench.committed(INGEST_GROUP, TOPICS.transactions)) === end;
  });
}

async function ticketIds(store: Store): Promise<string[]> {
  const rows = await store.query<{ id: string }>(
    'SELECT transaction_id AS id FROM transactions FINAL ORDER BY id',
  );
  return rows.map(({ id }) => id);
}

/** Pieces by the hour after nine. */
async function sold(store: Store): Promise<Record<string, number>> {
  const totals = await readTotals(store, {
    granularity: 'hour',
    fromMs: 0,
    beforeMs: 4e12,
    products: 'summed',
  });
  return Object.fromEntries(
    totals.bucketMs.map((ms, i) => [(ms - NINE_MS) / HOUR_MS, (totals.unitsThousandths[i] as number) / 1000]),
  );
}

describe('poison', () => {
  test.each<
    [string, number, (bench: Bench, clean: readonly OutgoingRecord[]) => [OutgoingRecord[], Poison[]]]
  >([
    ['one in a hundred', 3_000, (bench, clean) => mixed(bench, clean, 0.01)],
    ['every other record', 600, (bench, clean) => mixed(bench, clean, 0.5)],
    [
      'a thousand in a row',
      400,
      (bench, clean) => {
        const bad = poison({ seed: SEED, codec: bench.codec }).take(1_000);
        return [[...clean.slice(0, 200), ...bad.map(({ record }) => record), ...clean.slice(200)], bad];
      },
    ],
  ])(
    '%s: all of it, and only it, is in the dead letters, and the rest in the tables',
    async (_, count, spoil) => {
      const bench = await openBench({ transactionPartitions: 1 }, NINE_MS + HOUR_MS);
      const names = Array.from({ length: count }, (_, i) => `clean-${String(i).padStart(5, '0')}`);
      const [records, bad] = spoil(
        bench,
        names.map((name) => recordOf(bench, ticket(name))),
      );
      const { failures } = await bench.startIngest();
      for (let at = 0; at < records.length; at += 100)
        await bench.log.append(TOPICS.transactions, records.slice(at, at + 100));
      await settled(bench);
      const letters = await readTopic(bench.log, LETTERS);
      expect(letters.map(letterText).sort(), `seed ${SEED}`).toEqual(bad.map(expectedLetterText).sort());
      expect(await ticketIds(bench.store)).toEqual(names);
      expect(failures).toEqual([]);
    },
  );

  function mixed(
    bench: Bench,
    clean: readonly OutgoingRecord[],
    share: number,
  ): [OutgoingRecord[], Poison[]] {
    const { records, bad } = poison({ seed: SEED, codec: bench.codec }).mixInto(clean, share);
    return [records, bad];
  }

  test('says where each came from, and keeps the headers it came with', async () => {
    const bench = await openBench({ transactionPartitions: 1 }, NINE_MS);
    const { record } = poison({ seed: SEED, codec: bench.codec, kinds: ['bad_magic'] }).next();
    await bench.sell(ticket('before'));
    await bench.log.append(TOPICS.transactions, [
      { ...record, headers: { ce_id: Buffer.from('7') }, timestampMs: NINE_MS - 5 },
    ]);
    await bench.startIngest();
    await settled(bench);
    const [letter] = await readTopic(bench.log, LETTERS);
    const headers = Object.entries(letter?.headers ?? {}).map(([name, bytes]) => [name, bytes.toString()]);
    expect(Object.fromEntries(headers)).toEqual({
      ce_id: '7',
      'foretill-topic': TOPICS.transactions,
      'foretill-partition': '0',
      'foretill-offset': '1',
      'foretill-timestamp': String(NINE_MS - 5),
      'foretill-stage': 'decode',
      'foretill-reason': 'malformed',
      'foretill-error': expect.stringMatching(/first byte/),
    });
  });

  test('as large as the log takes goes through whole', async () => {
    const bench = await openBench({ transactionPartitions: 1 }, NINE_MS);
    const recordHeadBytes = 30;
    const value = Buffer.alloc(bench.config.log.recordBytesMax - recordHeadBytes, 1);
    await bench.log.append(TOPICS.transactions, [{ key: null, value }]);
    await bench.startIngest();
    await settled(bench);
    const [letter] = await readTopic(bench.log, LETTERS);
    expect(letter?.value?.equals(value)).toBe(true);
    const more = { key: null, value: Buffer.alloc(value.length + 1) };
    await expect(bench.log.append(TOPICS.transactions, [more])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });

  test('on the bucket topic does not end the forecasts: cleared, cut off, of no schema', async () => {
    const bench = await openBench({ transactionPartitions: 1 });
    const { role, failures } = await bench.startForecast();
    const good = bench.codec.encode(TOPICS.buckets, {
      source_topic: TOPICS.transactions,
      source_partition: 0,
      watermark_ms: null,
      kind: 'LIVE',
      open: [],
      amended: [],
      last_event_ms: null,
    });
    const foreign = bench.codec.encode(TOPICS.transactions, ticket('foreign'));
    const unknown = Buffer.from(good);
    unknown.writeInt32BE(2_000_000_000, 1);
    const bad: [Buffer | null, string][] = [
      [null, 'malformed'],
      [Buffer.alloc(0), 'malformed'],
      [Buffer.concat([Buffer.from([9]), good]), 'malformed'],
      [good.subarray(0, -1), 'malformed'],
      [Buffer.concat([good, good]), 'malformed'],
      [unknown, 'unknown_schema'],
      [foreign, 'unknown_schema'],
    ];
    await bench.log.append(
      TOPICS.buckets,
      bad.map(([value]) => ({ key: Buffer.from('shard-0'), value, partition: 0 })),
    );
    await bench.say({ watermark_ms: NINE_MS });
    await eventually('the good one is heard', () => role.watermarkMs() === NINE_MS);
    const letters = await readTopic(bench.log, BUCKET_LETTERS);
    expect(letters.map(({ value, headers }) => [value, String(headers['foretill-reason'])])).toEqual(bad);
    expect(failures).toEqual([]);
  });
});

describe('putting letters back', () => {
  async function replay(
    bench: Bench,
    options: { readonly again?: boolean; readonly log?: Log } = {},
  ): Promise<ReplayOutcome> {
    const log = options.log ?? bench.log;
    const topics = await deadLetterTopics(log, []);
    const request = {
      topics,
      filter: () => true,
      replayed: options.again === true ? null : await readReplayed(log, topics),
      targets: await replayTargets(log),
    };
    const plan = await planReplay(log, request);
    const outcome: ReplayOutcome = { replayed: 0, tooLarge: 0, last: null };
    const pace = {
      rate: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      onProgress: () => {},
    };
    await replayLetters(log, request, outcome, pace);
    expect(outcome.replayed).toBe(plan.letters);
    return outcome;
  }

  /** Tills an hour ahead of the clock, whose tickets are refused until the clock has come so far, and one ticket that is never right. */
  async function refusedTickets(): Promise<Bench> {
    const bench = await openBench({ transactionPartitions: 1 }, NINE_MS);
    await bench.startIngest();
    const ahead = Array.from({ length: 7 }, (_, i) =>
      ticket(`ahead-${i}`, { end_time: NINE_MS + HOUR_MS + i }),
    );
    await bench.sell(ticket('now'), ...ahead, ticket('foreign', { currency: 'XTS' }));
    await settled(bench);
    expect(await ticketIds(bench.store)).toEqual(['now']);
    bench.clock.advance(HOUR_MS + MINUTE_MS);
    return bench;
  }

  /** Lets the watermark pass everything, with a ticket that does not count. */
  async function closeAll(bench: Bench, name: string): Promise<void> {
    bench.clock.advance(3 * HOUR_MS);
    await bench.sell(ticket(name, { end_time: bench.clock.nowMs(), training: true }));
    await settled(bench);
    await eventually('the hours are closed', async () => (await sold(bench.store))[1] === 7);
  }

  test('brings in what has become right, once, however often it is done', async () => {
    const bench = await refusedTickets();
    expect(await replay(bench)).toMatchObject({ replayed: 8, last: { topic: LETTERS, offset: 7 } });
    await settled(bench);
    await closeAll(bench, 'last');
    const ids = await ticketIds(bench.store);
    const totals = await sold(bench.store);
    expect(ids).toHaveLength(9);
    expect(totals).toEqual({ 0: 1, 1: 7 });

    // Only the one that was refused again is left: a letter of its own, which says how often it was put back.
    const letters = await readTopic(bench.log, LETTERS);
    expect(letters.slice(8).map(({ headers }) => String(headers['foretill-replays']))).toEqual(['1']);
    expect(await replay(bench)).toMatchObject({ replayed: 1 });
    await settled(bench);
    expect(String((await readTopic(bench.log, LETTERS)).at(-1)?.headers['foretill-replays'])).toBe('2');

    expect(await replay(bench, { again: true })).toMatchObject({ replayed: 10 });
    await settled(bench);
    await closeAll(bench, 'last');
    expect(await ticketIds(bench.store)).toEqual(ids);
    expect(await sold(bench.store)).toEqual(totals);
  });

  test('after a failure before it was noted changes no total', async () => {
    const bench = await refusedTickets();
    const down = new ForetillError('LOG_UNAVAILABLE', 'The log is down.', { remedy: 'Wait.' });
    const failing: Log = {
      ...bench.log,
      append: (topic, records) =>
        topic === REPLAYED_TOPIC ? Promise.reject(down) : bench.log.append(topic, records),
    };
    await expect(replay(bench, { log: failing })).rejects.toBe(down);
    expect(await replay(bench)).toMatchObject({ replayed: 8 });
    await settled(bench);
    await closeAll(bench, 'last');
    expect(await sold(bench.store)).toEqual({ 0: 1, 1: 7 });
    expect(await bench.store.query('SELECT count() AS n FROM transactions FINAL WHERE NOT training')).toEqual(
      [{ n: 8 }],
    );
  });
});
