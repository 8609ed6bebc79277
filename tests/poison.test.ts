/** The generator itself: each of its kinds is refused for what it claims, for many seeds; and it mixes as it says. */
import { describe, expect, test } from 'vitest';
import { createCodec } from '../src/adapters/avro/codec.ts';
import { resolveConfig } from '../src/config.ts';
import type { LogRecord } from '../src/pipeline/log.ts';
import { TOPICS } from '../src/pipeline/topics.ts';
import { readBatch } from '../src/roles/ingest/read-batch.ts';
import { expectedLetterText, letterText, poison, POISON_KINDS } from './poison.ts';
import type { Poison, PoisonKind } from './poison.ts';

const NOW_MS = Date.UTC(2017, 2, 20);
const codec = await createCodec();
const config = resolveConfig({ timeZone: 'America/New_York' });
const calendar = { timeZone: config.timeZone, businessDayStartMinutes: 0 };
const calendars = {
  of: () => calendar,
  known: () => calendar,
  all: () => [calendar],
  load: () => Promise.resolve(),
  enter: () => Promise.resolve(),
};

function read(bad: readonly Poison[]) {
  const records = bad.map(({ record }, offset): LogRecord => ({
    offset,
    timestampMs: NOW_MS,
    headers: {},
    ...record,
  }));
  const batch = { topic: TOPICS.transactions, partition: 0, records, highWatermark: records.length };
  return readBatch(batch, { codec, config, calendars, categoryOfSku: () => undefined });
}

test.each(POISON_KINDS.map((kind) => [kind]))('%s is refused for its reason, with its bytes', (kind) => {
  for (let seed = 0; seed < 50; seed += 1) {
    const bad = poison({ seed, codec, kinds: [kind] }).take(4);
    const { tickets, refused } = read(bad);
    expect(tickets, `seed ${seed}`).toEqual([]);
    const letters = refused.map(({ letter }) => letterText({ headers: {}, ...letter }));
    expect(letters, `seed ${seed}`).toEqual(bad.map(expectedLetterText));
  }
});

test('the ticket that is spoilt would be taken', () => {
  const [one] = poison({ seed: 1, codec, kinds: ['bytes_left_over'] }).take(1);
  const value = one?.record.value as Buffer;
  const whole = Array.from({ length: 41 }, (_, cut) => ({ ...(one as Poison), cut }));
  const taken = whole.flatMap(
    ({ cut, ...rest }) =>
      read([{ ...rest, record: { ...rest.record, value: value.subarray(0, value.length - cut) } }]).tickets,
  );
  expect(taken).toHaveLength(1);
});

describe('the source', () => {
  test('gives every kind within its first round, and the same for the same seed', () => {
    const first = poison({ seed: 'a', codec }).take(200);
    expect(new Set(first.slice(0, POISON_KINDS.length).map(({ kind }) => kind))).toEqual(
      new Set(POISON_KINDS),
    );
    expect(poison({ seed: 'a', codec }).take(200)).toEqual(first);
    expect(poison({ seed: 'b', codec }).take(200)).not.toEqual(first);
  });

  test.each([
    [0, 0],
    [0.01, 10],
    [0.5, 1_000],
    [0.9, 9_000],
  ])('mixes a share of %d into clean records, whose order stays', (share, within) => {
    const clean = Array.from({ length: 1_000 }, (_, i) => ({ key: null, value: Buffer.from(`clean ${i}`) }));
    const kinds: readonly PoisonKind[] = ['tombstone', 'noise'];
    const { records, bad } = poison({ seed: 'mix', codec, kinds }).mixInto(clean, share);
    expect(bad).toHaveLength(within);
    expect(records.filter((record) => clean.includes(record as (typeof clean)[number]))).toEqual(clean);
    const spoilt = new Set(bad.map(({ record }) => record));
    expect(records.filter((record) => spoilt.has(record))).toEqual(bad.map(({ record }) => record));
    expect(records).toHaveLength(1_000 + within);
  });
});
