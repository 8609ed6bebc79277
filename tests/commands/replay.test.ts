import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TillSource } from '../../src/adapters/csv/till-source.ts';
import { openReplay } from '../../src/commands/demo/replay.ts';

const dir = mkdtempSync(join(tmpdir(), 'foretill-replay-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;

const SOURCE: TillSource = {
  name: 'columns',
  map: {},
  timeZone: 'UTC',
  currency: 'USD',
  storeId: 'A',
  dateOrder: 'iso',
  discounts: [],
  ignoredItems: [],
};
const at = (hour: number) => Date.UTC(2024, 0, 1, hour);

/** Tickets at these hours, numbered from 1; history are those before 3:00 among the first `history`. */
async function open(hours: readonly number[], options: { history?: number; next?: number } = {}) {
  files += 1;
  const path = join(dir, `${files}.csv`);
  const rows = hours.map((hour, index) => `${index + 1},2024-01-01T${String(hour).padStart(2, '0')}:00,x`);
  writeFileSync(path, `ticket,time,sku\n${rows.join('\n')}\n`);
  return openReplay({
    path,
    source: SOURCE,
    categoryPath: () => undefined,
    isWanted: () => true,
    historyTickets: options.history ?? 0,
    liveFromMs: at(3),
    nextTicket: options.next ?? 0,
  });
}

async function due(feed: Awaited<ReturnType<typeof open>>, nowMs: number): Promise<string[]> {
  return (await feed.due(nowMs)).map(({ transaction_id }) => transaction_id);
}

describe('a replay', () => {
  test('hands out each ticket when its time has come, once', async () => {
    const feed = await open([3, 4, 4, 6]);
    expect(await due(feed, at(2))).toEqual([]);
    expect(await due(feed, at(4))).toEqual(['1', '2', '3']);
    expect([await due(feed, at(5)), feed.endedAtMs()]).toEqual([[], null]);
    expect(await due(feed, at(9))).toEqual(['4']);
    expect(await due(feed, at(9))).toEqual([]);
    expect([feed.endedAtMs(), feed.progress()]).toEqual([at(6), 1]);
  });

  test('leaves out what was read as history', async () => {
    const feed = await open([1, 2, 3, 2, 5], { history: 3 });
    // The fourth is older, but was not read then: it comes when it is reached, as a late one.
    expect(await due(feed, at(9))).toEqual(['3', '4', '5']);
  });

  test('goes on from a place', async () => {
    const hours = [3, 4, 5, 6, 7];
    const first = await open(hours);
    const before = await due(first, at(5));
    const second = await open(hours, { next: first.place().nextTicket });
    expect([...before, ...(await due(second, at(9)))]).toEqual(['1', '2', '3', '4', '5']);
    await first.close();
  });
});
