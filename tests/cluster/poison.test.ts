/**
 * Records that no till should send, among those that tills do send: 1 % of them, every second one, and a thousand in a
 * row. Whatever they are, the tickets beside them count, and they themselves end in the dead letters, as they were.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { originalHeaders, readLetter } from '../../src/commands/dlq/letter.ts';
import type { Headers, OutgoingRecord } from '../../src/pipeline/log.ts';
import { deadLetterTopic, TOPICS } from '../../src/pipeline/topics.ts';
import { faultsOf } from '../simulation/verdict.ts';
import { readTopic } from '../read-topic.ts';
import type { Sent } from '../simulation/traffic.ts';
import { isRefused } from '../simulation/traffic.ts';
import { poison, POISON_KINDS } from '../poison.ts';
import type { Poison } from '../poison.ts';
import { openClusterSystem, recordOf } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { runCommand } from './system/run-command.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'poison';
const LETTERS = deadLetterTopic(TOPICS.transactions);
/** A header of the sender's, by which a record and its letter are known to belong together. */
const SERIAL = 'serial';
const IN_A_ROW = 1_000;

let system: ClusterSystem;
let tickets: readonly Sent[];
let bad: readonly Poison[];

beforeAll(async () => {
  system = await openClusterSystem({ seed: SEED });
  const source = poison({ seed: SEED, codec: system.platform.codec });
  tickets = makeDays(SEED, { perHour: 40, config: system.config }).all.filter((each) => !isRefused(each));
  const clean = tickets.map((each) => recordOf(each, system.platform));
  const half = clean.length / 2;
  const some = source.mixInto(clean.slice(0, half), 0.01);
  const row = source.take(IN_A_ROW);
  const many = source.mixInto(clean.slice(half), 0.5);
  bad = [...some.bad, ...row, ...many.bad];
  const records = [...some.records, ...row.map(({ record }) => record), ...many.records];

  system.keep('ingest');
  system.keep('forecast');
  await system.append(marked(records, bad).map((record) => ({ ...record, refused: false })));
  await system.settled(UNTIL_MS);
});
afterAll(() => system.close());

function marked(records: readonly OutgoingRecord[], spoilt: readonly Poison[]): OutgoingRecord[] {
  const serials = new Map(spoilt.map(({ record }, serial) => [record, serial]));
  return records.map((record) => {
    const serial = serials.get(record);
    return serial === undefined ? record : { ...record, headers: { [SERIAL]: Buffer.from(String(serial)) } };
  });
}

test(`the tickets beside the poison all count, once (seed ${SEED})`, async () => {
  const { config, platform } = system;
  expect(await faultsOf(platform, tickets, { config, untilMs: UNTIL_MS })).toEqual([]);
  expect(system.failures()).toEqual([]);
});

test(`every record of the poison, and nothing else, is in the dead letters as it was (seed ${SEED})`, async () => {
  expect(new Set(bad.map(({ kind }) => kind))).toEqual(new Set(POISON_KINDS));
  const expected = new Map<string, object>();
  for (const { partition, offset, timestampMs, key, value, headers } of await readTopic(
    system.platform.log,
    TOPICS.transactions,
  )) {
    const serial = headers[SERIAL]?.toString();
    if (serial === undefined) continue;
    const { stage, reason, kept } = bad[Number(serial)] as Poison;
    expected.set(serial, {
      origin: { topic: TOPICS.transactions, partition, offset, timestampMs },
      stage,
      reason,
      key: key?.toString('base64'),
      value: kept ? value?.toString('base64') : undefined,
      omitted: kept ? null : 'card_data',
      headers: texts(headers),
    });
  }
  expect(expected.size).toBe(bad.length);

  const letters = (await readTopic(system.platform.log, LETTERS)).map((record) =>
    readLetter({ topic: LETTERS, partition: record.partition }, record),
  );
  const found = letters.map(({ origin, stage, reason, key, value, omitted, headers }) => ({
    origin,
    stage,
    reason,
    key: key?.toString('base64'),
    value: value?.toString('base64'),
    omitted,
    headers: texts(originalHeaders(headers)),
  }));
  expect(new Map(found.map((letter) => [letter.headers[SERIAL], letter]))).toEqual(expected);
  expect(found).toHaveLength(bad.length);
  expect(letters.filter(({ error }) => error === '')).toEqual([]);
  expect(await readTopic(system.platform.log, deadLetterTopic(TOPICS.buckets))).toEqual([]);
});

test(`foretill dlq lists, shows and would put back what was refused (seed ${SEED})`, async () => {
  const dlq = async <T>(...args: string[]): Promise<T> =>
    JSON.parse(await runCommand(['dlq', ...args, '--json'], system.environment)) as T;

  const { summary } = await dlq<{ summary: { reason: string; letters: number }[] }>('list', '--summary');
  expect(Object.fromEntries(summary.map(({ reason, letters }) => [reason, letters]))).toEqual(
    countBy(bad.map(({ reason }) => reason)),
  );

  const { letters } = await dlq<{ letters: { topic: string; partition: number; offset: number }[] }>(
    'list',
    '--reason',
    'unknown_schema',
    '--oldest-first',
    '--limit',
    '1',
  );
  const place = letters[0]!;
  const shown = await dlq<{ headers: Record<string, string>; valueBase64: string }>(
    'show',
    place.topic,
    String(place.partition),
    String(place.offset),
  );
  const meant = bad[Number(shown.headers[SERIAL])];
  expect(meant).toMatchObject({ reason: 'unknown_schema' });
  expect(shown.valueBase64).toBe(meant?.record.value?.toString('base64'));

  const before = await system.platform.log.offsets(TOPICS.transactions);
  const plan = await dlq<{ letters: number; leftOut: { withoutBytes: number } }>('replay', '--dry-run');
  const withoutBytes = bad.filter(({ kept, record }) => !kept || record.value === null).length;
  expect(plan).toMatchObject({ dryRun: true, letters: bad.length - withoutBytes, leftOut: { withoutBytes } });
  expect(await system.platform.log.offsets(TOPICS.transactions)).toEqual(before);
});

function texts(headers: Headers): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]));
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
