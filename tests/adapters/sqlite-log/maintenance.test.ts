import { stat } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logFile } from '../../../src/adapters/sqlite-log/database.ts';
import type { SqliteLog, SqliteLogOptions } from '../../../src/adapters/sqlite-log/sqlite-log.ts';
import { manualClock } from '../../../src/clock.ts';
import type { LogRecord, OutgoingRecord } from '../../../src/pipeline/log.ts';
import { joinRecording, numbered, recorder, until } from '../log-contract/bench.ts';
import { openTemporaryLog } from './open-temporary.ts';
import type { TemporaryLog } from './open-temporary.ts';

async function open(options: Omit<SqliteLogOptions, 'dir'>): Promise<TemporaryLog> {
  const opened = await openTemporaryLog(options);
  onTestFinished(() => opened.dispose());
  return opened;
}

/** Reads partition 0 up to its end, which a last record with the value "end" marks. */
async function readToEnd(log: SqliteLog, topic: string): Promise<LogRecord[]> {
  const [place] = await log.append(topic, [{ key: null, value: Buffer.from('end'), partition: 0 }]);
  const { seen, handler } = recorder();
  const tail = await log.tail({ topic, from: 'earliest', batchRecordsMax: 50 }, handler);
  const records = () =>
    seen.batches.filter((batch) => batch.partition === 0).flatMap((batch) => batch.records);
  await until('the end', () => records().at(-1)?.offset === place?.offset);
  await tail.stop();
  return records().slice(0, -1);
}

describe('retention', () => {
  it('deletes what was appended longer ago than the topic keeps, and keeps offsets', async () => {
    const clock = manualClock(1_700_000_000_000);
    const opened = await open({ clock });
    const { log } = opened;
    await log.ensureTopics([
      { name: 'kept', partitions: 1 },
      { name: 'hour', partitions: 1, retentionMs: 3_600_000 },
    ]);
    for (let hour = 0; hour < 5; hour++) {
      for (const topic of ['kept', 'hour']) await log.append(topic, numbered(10, { from: hour * 10 }));
      clock.advance(1_800_000);
    }
    // Appended 150, 120, 90, 60 and 30 minutes ago.
    expect((await log.maintain()).rowsExpired).toBe(3);
    expect((await log.offsets('kept')).get(0)).toEqual({ start: 0, end: 50 });
    expect((await log.offsets('hour')).get(0)).toEqual({ start: 30, end: 50 });
    clock.advance(86_400_000);
    await log.maintain();
    expect((await log.offsets('hour')).get(0)).toEqual({ start: 50, end: 50 });
    const reopened = await opened.reopen();
    expect(await reopened.append('hour', numbered(1))).toEqual([{ partition: 0, offset: 50 }]);
  });

  it('goes by the time of the append: old history that arrives now stays', async () => {
    const clock = manualClock(1_700_000_000_000);
    const { log } = await open({ clock });
    await log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 3_600_000 }]);
    await log.append(
      't',
      numbered(3).map((record) => ({ ...record, timestampMs: 0 })),
    );
    expect((await log.maintain()).rowsExpired).toBe(0);
    expect((await log.offsets('t')).get(0)).toEqual({ start: 0, end: 3 });
  });

  it('lets a consumer that is behind go on at the oldest record', async () => {
    const clock = manualClock(0);
    const { log } = await open({ clock });
    await log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 1_000 }]);
    await log.append('t', numbered(10));
    const first = await joinRecording(log, { topics: ['t'], batchRecordsMax: 4 }, (itself) => ({
      eachBatch: async () => itself().commit([{ topic: 't', partition: 0, offset: 2, metadata: '' }]),
    }));
    await until('the batches', () => first.seen.records === 10);
    await first.consumer.stop();
    clock.advance(5_000);
    await log.maintain();
    await log.append('t', numbered(3, { from: 10 }));
    const second = await joinRecording(log, { topics: ['t'], group: first.group });
    await until('what is left', () => second.seen.records === 3);
    await second.consumer.stop();
    expect(second.seen.batches[0]?.records[0]?.offset).toBe(10);
  });

  it('gives the room back to the disk', async () => {
    const clock = manualClock(0);
    const opened = await open({ clock });
    await opened.log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 1_000 }]);
    const value = Buffer.alloc(1_048_576, 1);
    for (let i = 0; i < 24; i++) await opened.log.append('t', [{ key: null, value }]);
    await opened.reopen();
    const before = (await stat(logFile(opened.dir))).size;
    clock.advance(5_000);
    expect((await opened.log.maintain()).pagesReturned).toBeGreaterThan(0);
    await opened.reopen();
    expect((await stat(logFile(opened.dir))).size).toBeLessThan(before / 2);
  });
});

describe('compaction', () => {
  const GRACE_MS = 1_000;
  const limits = {
    compactionRecordsMin: 10,
    tombstoneGraceMs: GRACE_MS,
    maintenanceSliceBytesMax: 500,
    rowBytesMax: 300,
  };

  function put(key: string, value: string | null): OutgoingRecord {
    return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value), partition: 0 };
  }

  it('keeps the latest record of every key, at its offset', async () => {
    const { log } = await open({ limits, clock: manualClock(0) });
    await log.ensureTopics([{ name: 'c', partitions: 2, compacted: true }]);
    for (let i = 0; i < 60; i++)
      await log.append('c', [put(`k${i % 7}`, `v${i}`), put(`once-${i % 20}`, `w${i}`)]);
    const { recordsCompacted, damaged } = await log.maintain();
    expect({ recordsCompacted, damaged }).toEqual({ recordsCompacted: 120 - 27, damaged: [] });
    const records = await readToEnd(log, 'c');
    const expected = [];
    for (let i = 0; i < 60; i++) {
      if (i >= 53) expected.push([2 * i, `k${i % 7}`, `v${i}`]);
      if (i >= 40) expected.push([2 * i + 1, `once-${i % 20}`, `w${i}`]);
    }
    expect(records.map(({ offset, key, value }) => [offset, String(key), String(value)])).toEqual(expected);
    expect((await log.offsets('c')).get(0)?.start).toBe(81);
  });

  it('equals the latest of each key whatever was written, through compactions and reopenings', async () => {
    const clock = manualClock(0);
    const opened = await open({ limits, clock });
    await opened.log.ensureTopics([{ name: 'c', partitions: 1, compacted: true }]);
    const expected = new Map<string, string>();
    let seed = 20_240_229;
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 30; i++) {
        const key = `k${draw(15)}`;
        const value = draw(4) === 0 ? null : `${round}.${i}`;
        await opened.log.append('c', [put(key, value)]);
        if (value === null) expected.delete(key);
        else expected.set(key, value);
      }
      clock.advance(600);
      expect((await opened.log.maintain()).damaged).toEqual([]);
      if (round % 4 === 3) await opened.reopen();
      const read = new Map<string, string>();
      for (const { key, value } of await readToEnd(opened.log, 'c')) {
        if (value === null) read.delete(String(key));
        else if (key !== null) read.set(String(key), String(value));
      }
      expect(read, 'seed 20240229').toEqual(expected);
    }
  });

  it('keeps a tombstone for its grace, then drops it', async () => {
    const clock = manualClock(0);
    const { log } = await open({ limits, clock });
    await log.ensureTopics([{ name: 'c', partitions: 1, compacted: true }]);
    const filler = Array.from({ length: 10 }, (_, i) => put('filler', `${i}`));
    const deleted = async () => (await readToEnd(log, 'c')).filter(({ key }) => String(key) === 'gone');
    await log.append('c', [put('gone', 'there'), put('gone', null), ...filler]);
    await log.maintain();
    expect((await deleted()).map(({ offset, value }) => [offset, value])).toEqual([[1, null]]);
    clock.advance(GRACE_MS + 1);
    await log.append('c', filler);
    await log.maintain();
    expect(await deleted()).toEqual([]);
  });

  it('serves appends and reads while it runs', async () => {
    const { log } = await open({ limits, clock: manualClock(0) });
    await log.ensureTopics([{ name: 'c', partitions: 1, compacted: true }]);
    await log.append(
      'c',
      Array.from({ length: 2_000 }, (_, i) => put(`k${i % 10}`, `v${i}`)),
    );
    let appendedMeanwhile = 0;
    const running = new AbortController();
    const maintained = log.maintain().finally(() => running.abort());
    while (!running.signal.aborted) {
      await log.append('c', [put('late', `${appendedMeanwhile}`)]);
      appendedMeanwhile++;
    }
    expect((await maintained).recordsCompacted).toBe(1_990);
    expect(appendedMeanwhile).toBeGreaterThan(5);
    const late = (await readToEnd(log, 'c')).filter(({ key }) => String(key) === 'late');
    expect(late.map(({ value }) => Number(value))).toEqual(
      Array.from({ length: appendedMeanwhile }, (_, i) => i),
    );
  });

  it('waits until enough has been written, and leaves other topics alone', async () => {
    const { log } = await open({ limits, clock: manualClock(0) });
    await log.ensureTopics([
      { name: 'c', partitions: 1, compacted: true },
      { name: 't', partitions: 1 },
    ]);
    await log.append('c', [put('k', '1'), put('k', '2')]);
    await log.append(
      't',
      Array.from({ length: 50 }, () => put('k', 'v')),
    );
    expect((await log.maintain()).recordsCompacted).toBe(0);
    expect(await readToEnd(log, 'c')).toHaveLength(2);
    expect(await readToEnd(log, 't')).toHaveLength(50);
  });
});
