import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logFile } from '../../../src/adapters/sqlite-log/database.ts';
import { openSqliteLog } from '../../../src/adapters/sqlite-log/sqlite-log.ts';
import {
  until,
  joinRecording,
  numbered,
  numbers,
  recorder,
  recordsOf,
  valuesOf,
} from '../log-contract/bench.ts';
import { openTemporaryLog } from './open-temporary.ts';
import type { TemporaryLog } from './open-temporary.ts';

const RECORD_BYTES = 31;

/** Two partitions of ten records, one digit each; then `damage` is done to the closed file's first row. */
async function openDamaged(damage: (row: Buffer) => Buffer, options = {}): Promise<TemporaryLog> {
  const opened = await openTemporaryLog();
  onTestFinished(() => opened.dispose());
  await opened.log.ensureTopics([{ name: 't', partitions: 2, compacted: true }]);
  await opened.log.append('t', [...numbered(10), ...numbered(10, { partition: 1 })]);
  await opened.log.close();
  const database = new DatabaseSync(logFile(opened.dir));
  const { id, records } = database.prepare('SELECT id, records FROM batches ORDER BY id LIMIT 1').get() as {
    id: number;
    records: Uint8Array;
  };
  database.prepare('UPDATE batches SET records = ? WHERE id = ?').run(damage(Buffer.from(records)), id);
  database.close();
  await opened.reopen(options);
  return opened;
}

function turnValueOf(record: number): (row: Buffer) => Buffer {
  return (row) => {
    expect(row).toHaveLength(10 * RECORD_BYTES);
    row.writeUInt8(0x7f, (record + 1) * RECORD_BYTES - 1);
    return row;
  };
}

describe('a damaged record', () => {
  it.each([
    ['a turned value', turnValueOf(4)],
    ['a turned length', (row: Buffer) => (row.writeUInt32LE(0x7fffffff, 4 * RECORD_BYTES), row)],
    ['a row cut within a record', (row: Buffer) => row.subarray(0, 4 * RECORD_BYTES + 10)],
    ['a row cut between records', (row: Buffer) => row.subarray(0, 4 * RECORD_BYTES)],
  ])('(%s) is named, after everything before it; the other partition goes on', async (_, damage) => {
    const { log } = await openDamaged(damage);
    const unreadable: unknown[] = [];
    const { consumer, seen } = await joinRecording(log, { topics: ['t'], batchRecordsMax: 3 }, () => ({}));
    await until('the crash', () => seen.crashes.length === 1);
    expect(seen.crashes[0]).toMatchObject({
      code: 'LOG_CORRUPT',
      message: 'Record 4 of t/0 in the log is damaged.',
    });
    await consumer.stop();

    const { seen: careful, handler } = recorder();
    const onUnreadable = (...told: unknown[]) => unreadable.push(told);
    const tail = await log.tail(
      { topic: 't', from: 'earliest', batchRecordsMax: 3 },
      { ...handler, onUnreadable },
    );
    await until('the intact partition', () => careful.records === 14 && unreadable.length === 1);
    await log.append('t', numbered(5, { partition: 1, from: 10 }));
    await until('more of it', () => careful.records === 19);
    await tail.stop();
    expect(valuesOf(recordsOf(careful.batches, 0))).toEqual(numbers(4));
    expect(valuesOf(recordsOf(careful.batches, 1))).toEqual(numbers(15));
    expect(unreadable).toEqual([
      [{ topic: 't', partition: 0 }, expect.objectContaining({ code: 'LOG_CORRUPT' })],
    ]);
  });

  it('can be given up: a seek beyond it reads on', async () => {
    const { log } = await openDamaged(turnValueOf(4));
    const { seen, handler } = recorder();
    const consumer = await log.join(
      { group: 'g', topics: ['t'], startFrom: 'earliest', batchRecordsMax: 3 },
      { ...handler, onUnreadable: () => consumer.seek({ topic: 't', partition: 0, offset: 5 }) },
    );
    await until('the rest', () => seen.records === 19);
    await consumer.stop();
    expect(valuesOf(recordsOf(seen.batches, 0))).toEqual(numbers(10).filter((value) => value !== '4'));
  });

  it('keeps its partition from being compacted, and is told', async () => {
    const problems: unknown[] = [];
    const limits = { compactionRecordsMin: 1 };
    const { log } = await openDamaged(turnValueOf(4), {
      limits,
      onProblem: (error: unknown) => problems.push(error),
    });
    expect((await log.maintain()).damaged).toEqual([{ topic: 't', partition: 0, offset: 4 }]);
    await until('the round at the start', () => problems.length === 1);
    expect(problems[0]).toMatchObject({ code: 'LOG_CORRUPT' });
  });
});

describe('a directory that cannot be used', () => {
  async function temporary(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'foretill-log-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    return dir;
  }

  it('is refused when another log has it', async () => {
    const opened = await openTemporaryLog();
    onTestFinished(() => opened.dispose());
    await expect(openSqliteLog({ dir: opened.dir })).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await opened.log.ensureTopics([{ name: 't', partitions: 1 }]);
    expect(await opened.log.append('t', numbered(1))).toHaveLength(1);
  });

  it.each([
    [
      'a file that is no log',
      async (dir: string) => writeFile(logFile(dir), 'x'.repeat(40_000)),
      'LOG_CORRUPT',
    ],
    [
      'a log of a newer version',
      async (dir: string) => {
        const database = new DatabaseSync(logFile(dir));
        database.exec('PRAGMA user_version = 1000');
        database.close();
      },
      'DATA_DIR_UNUSABLE',
    ],
  ])('holds %s', async (_, prepare, code) => {
    const dir = await temporary();
    await prepare(dir);
    const error = await openSqliteLog({ dir }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(logFile(dir));
  });

  it('is a file', async () => {
    const dir = await temporary();
    await writeFile(join(dir, 'file'), '');
    await expect(openSqliteLog({ dir: join(dir, 'file') })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
    });
  });
});
