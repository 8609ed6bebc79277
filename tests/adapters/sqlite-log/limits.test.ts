import { describe, expect, it, onTestFinished } from 'vitest';
import { manualClock } from '../../../src/clock.ts';
import { ForetillError } from '../../../src/errors.ts';
import type { SqliteLogOptions } from '../../../src/adapters/sqlite-log/sqlite-log.ts';
import { numbered, recorder, until } from '../log-contract/bench.ts';
import { openTemporaryLog } from './open-temporary.ts';
import type { TemporaryLog } from './open-temporary.ts';

async function open(options: Omit<SqliteLogOptions, 'dir'>): Promise<TemporaryLog> {
  const opened = await openTemporaryLog(options);
  onTestFinished(() => opened.dispose());
  return opened;
}

describe('a full disk', () => {
  const MEGABYTE = 1_048_576;
  const batch = [{ key: null, value: Buffer.alloc(100_000, 1) }];

  it('refuses appends without losing any that was acknowledged, and goes on when there is room', async () => {
    const clock = manualClock(1_000_000);
    const opened = await open({ clock, limits: { fileBytesMax: 2 * MEGABYTE } });
    const { log } = opened;
    await log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 1_000 }]);
    let acknowledged = 0;
    const error = await (async () => {
      for (; acknowledged < 100; acknowledged++) await log.append('t', batch);
      return null;
    })().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ForetillError);
    expect(error).toMatchObject({ code: 'DISK_FULL', retryable: true });
    expect(acknowledged).toBeGreaterThan(10);
    expect(await log.offsets('t')).toEqual(new Map([[0, { start: 0, end: acknowledged }]]));
    await expect(log.append('t', batch)).rejects.toMatchObject({ code: 'DISK_FULL' });

    const { seen, handler } = recorder();
    const tail = await log.tail({ topic: 't', from: 'earliest', batchRecordsMax: 10 }, handler);
    await until('what was acknowledged', () => seen.records === acknowledged);
    await tail.stop();

    clock.advance(2_000);
    expect((await log.maintain()).rowsExpired).toBe(acknowledged);
    expect(await log.append('t', batch)).toEqual([{ partition: 0, offset: acknowledged }]);
    const reopened = await opened.reopen();
    expect(await reopened.offsets('t')).toEqual(
      new Map([[0, { start: acknowledged, end: acknowledged + 1 }]]),
    );
  });
});

describe('a record that is too large', () => {
  it('is refused with its append', async () => {
    const { log } = await open({ limits: { recordBytesMax: 1_000 } });
    await log.ensureTopics([{ name: 't', partitions: 1 }]);
    const append = log.append('t', [...numbered(1), { key: null, value: Buffer.alloc(1_000) }]);
    await expect(append).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect((await log.offsets('t')).get(0)?.end).toBe(0);
  });

  it('is one to its topic, where that has a limit of its own', async () => {
    const { log } = await open({ limits: { recordBytesMax: 1_000 } });
    await log.ensureTopics([
      { name: 'small', partitions: 1, recordBytesMax: 100 },
      { name: 'large', partitions: 1, recordBytesMax: 5_000 },
    ]);
    await log.ensureTopics([{ name: 'other', partitions: 1 }]);
    const sized = (bytes: number) => [{ key: null, value: Buffer.alloc(bytes) }];
    await expect(log.append('small', sized(200))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(log.append('other', sized(1_000))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(log.append('large', sized(5_000))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await log.append('large', sized(4_000))).toHaveLength(1);
  });
});

describe('small limits', () => {
  it('cut appends into rows and reads, and change nothing of what is read', async () => {
    const { log } = await open({
      limits: { rowBytesMax: 200, fetchBytesMax: 500, groupCommitBytesMax: 1_000 },
    });
    await log.ensureTopics([{ name: 't', partitions: 1 }]);
    await Promise.all(Array.from({ length: 40 }, (_, i) => log.append('t', numbered(25, { from: i * 25 }))));
    const { seen, handler } = recorder();
    const tail = await log.tail({ topic: 't', from: new Map([[0, 3]]), batchRecordsMax: 7 }, handler);
    await until('all', () => seen.records === 997);
    await tail.stop();
    const read = seen.batches.flatMap((each) => each.records);
    expect(read.map((record) => record.offset)).toEqual(Array.from({ length: 997 }, (_, i) => i + 3));
    expect(read.map((record) => String(record.value))).toEqual(
      Array.from({ length: 997 }, (_, i) => String(i + 3)),
    );
  });
});

describe('a clock that runs fast', () => {
  it('has fractions of milliseconds, the log has none', async () => {
    const { log } = await open({ clock: { nowMs: () => 1_700_000_000_000.75 } });
    await log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 1_000.5 }]);
    await log.append('t', numbered(1));
    expect((await log.maintain()).rowsExpired).toBe(0);
    const { seen, handler } = recorder();
    const tail = await log.tail({ topic: 't', from: 'earliest', batchRecordsMax: 1 }, handler);
    await until('the record', () => seen.records === 1);
    await tail.stop();
    expect(seen.batches[0]?.records[0]?.timestampMs).toBe(1_700_000_000_000);
  });
});

describe('a position the log does not have', () => {
  it('goes to the oldest record: before the oldest, and beyond the end', async () => {
    const clock = manualClock(0);
    const { log } = await open({ clock });
    await log.ensureTopics([{ name: 't', partitions: 1, retentionMs: 1_000 }]);
    await log.append('t', numbered(5));
    clock.advance(2_000);
    await log.append('t', numbered(5, { from: 5 }));
    await log.maintain();
    for (const offset of [-1, 0, 3, 11, 1_000]) {
      const { seen, handler } = recorder();
      const tail = await log.tail({ topic: 't', from: new Map([[0, offset]]), batchRecordsMax: 10 }, handler);
      await until('the oldest', () => seen.records === 5);
      await tail.stop();
      expect(seen.batches[0]?.records[0]?.offset).toBe(5);
    }
  });
});
