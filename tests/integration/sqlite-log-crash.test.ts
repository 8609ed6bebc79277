import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteLog } from '../../src/adapters/sqlite-log/sqlite-log.ts';
import type { Log, LogRecord } from '../../src/pipeline/log.ts';
import { recorder, recordsOf, until } from '../adapters/log-contract/bench.ts';

const SEED = Number(process.env['SEED'] ?? 7);
const KILLS = 8;
const PARTITIONS = 3;
const APPENDER = fileURLToPath(new URL('./sqlite-log-appender.ts', import.meta.url));

/** What the killed process had been told is durable. */
type Acknowledged = { lastNumber: number; committed: number[] };

/** Runs the appender and kills it as soon as it has printed this many lines. */
function runAndKill(
  dir: string,
  options: { seed: number; lines: number; acknowledged: Acknowledged },
): Promise<void> {
  const child = spawn(process.execPath, [APPENDER, dir, String(options.seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let lines = 0;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface(child.stdout).on('line', (line) => {
    note(line, options.acknowledged);
    if (++lines === options.lines) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve();
      else reject(new Error(`the appender ended by itself after ${lines} lines: ${errors}`));
    });
  });
}

function note(line: string, acknowledged: Acknowledged): void {
  const [what, first = 0, second = 0] = line
    .split(' ')
    .map((word, index) => (index === 0 ? word : Number(word)));
  if (what === 'appended') acknowledged.lastNumber = Math.max(acknowledged.lastNumber, Number(second));
  if (what === 'committed') acknowledged.committed[Number(first)] = Number(second);
}

async function readAll(log: Log): Promise<LogRecord[][]> {
  const ends = [...(await log.offsets('numbers')).values()].map(({ end }) => end);
  const total = ends.reduce((sum, end) => sum + end, 0);
  const { seen, handler } = recorder();
  const tail = await log.tail({ topic: 'numbers', from: 'earliest', batchRecordsMax: 5_000 }, handler);
  await until(`${total} records`, () => seen.records >= total || seen.crashes.length > 0, 60_000);
  await tail.stop();
  expect(seen.crashes).toEqual([]);
  expect(seen.records).toBe(total);
  return ends.map((_, partition) => recordsOf(seen.batches, partition));
}

function valueOf(number: number): string {
  return `${number} `.repeat(1 + (number % 50));
}

describe('a log whose process is killed', () => {
  it(`has every acknowledged record once, in order, at ${KILLS} moments (seed ${SEED})`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'foretill-log-crash-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const acknowledged: Acknowledged = {
      lastNumber: -1,
      committed: Array.from({ length: PARTITIONS }, () => 0),
    };
    let draws = SEED;
    for (let kill = 0; kill < KILLS; kill++) {
      draws = (Math.imul(draws, 1_103_515_245) + 12_345) & 0x7fffffff;
      const lines = kill === 0 ? 1 : 1 + ((draws >>> 8) % 60);
      await runAndKill(dir, { seed: draws, lines, acknowledged });

      const log = await openSqliteLog({ dir });
      const partitions = await readAll(log);
      const end = partitions[0]?.length ?? 0;
      for (const [partition, records] of partitions.entries()) {
        // All partitions end alike: an append is there as a whole or not at all.
        expect(records.length).toBe(end);
        const wrong = records.findIndex(
          ({ offset, value }, index) =>
            offset !== index || String(value) !== valueOf(index * PARTITIONS + partition),
        );
        expect(wrong, `kill ${kill} after ${lines} lines: first wrong record of partition ${partition}`).toBe(
          -1,
        );
      }
      expect(end * PARTITIONS).toBeGreaterThan(acknowledged.lastNumber);
      const committed = await log.committed('readers', 'numbers');
      for (const [partition, offset] of acknowledged.committed.entries()) {
        const found = committed.get(partition) ?? { offset: 0, metadata: 'at 0' };
        expect(found.offset).toBeGreaterThanOrEqual(offset);
        expect(found.offset).toBeLessThanOrEqual(end);
        expect(found.metadata).toBe(`at ${found.offset}`);
      }
      await log.close();
    }
    expect(acknowledged.lastNumber).toBeGreaterThan(1_000);
  });
});
