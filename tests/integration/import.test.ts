/**
 * What is in `sales` after an import equals the file's own totals to the unit and the cent, worked out here from the
 * text of the file by other means: split at commas, dates as they stand there.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTotals } from '../../src/adapters/clickhouse/sales-table.ts';
import { openTable } from '../../src/adapters/csv/open-table.ts';
import { presetOf } from '../../src/adapters/csv/till-source.ts';
import type { TillSource } from '../../src/adapters/csv/till-source.ts';
import { systemClock } from '../../src/clock.ts';
import { importCompanions } from '../../src/commands/import-companions.ts';
import { importHistory } from '../../src/commands/import-history.ts';
import { importTotals } from '../../src/commands/import-totals.ts';
import { resolveConfig } from '../../src/config.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { openPlatform } from '../../src/platform.ts';
import type { Platform } from '../../src/platform.ts';
import type { Granularity } from '../../src/sales/series.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

const HEADER =
  'ts,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc';
const REAL_FILE = new URL('../../../shared/data/completejourney_transactions.csv.gz', import.meta.url)
  .pathname;
const SEED = 'import';
const dir = mkdtempSync(join(tmpdir(), 'foretill-import-'));
const config = resolveConfig({ currency: 'USD', timeZone: 'America/New_York' });
let platform: Platform;

beforeAll(async () => {
  platform = await openPlatform({
    dir: join(dir, 'data'),
    config,
    clock: systemClock,
    telemetry: createTelemetry({ level: 'silent' }),
  });
});
afterAll(async () => {
  await platform.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Five weeks over the change to summer time, with the float noise and the empty quantities of the real file. */
function syntheticFile(): string {
  const random = createRandom(SEED);
  const rows: string[] = [];
  for (let ticket = 1; ticket <= 1_500; ticket += 1) {
    const day = new Date(Date.UTC(2017, 1, 20) + Math.floor(ticket / 45) * 86_400_000)
      .toISOString()
      .slice(0, 10);
    const time = `${String(6 + Math.floor(random.uniform() * 18)).padStart(2, '0')}:${String(Math.floor(random.uniform() * 60)).padStart(2, '0')}:07`;
    const store = ['292', '381', '406'][Math.floor(random.uniform() * 3)];
    const lines = 1 + Math.floor(random.uniform() * 5);
    for (let line = 0; line < lines; line += 1) {
      const value =
        random.uniform() < 0.02
          ? '1.776357e-15'
          : (random.uniform() * 20).toFixed(random.uniform() < 0.5 ? 2 : 1);
      rows.push(
        `${day}T${time},${store},${ticket},${100 + line + Math.floor(random.uniform() * 30) * 10},${Math.floor(random.uniform() * 4)},${value},0.0,0.0,0.0`,
      );
    }
  }
  return writeFile('synthetic.csv.gz', gzipSync(`${HEADER}\n${rows.join('\n')}\n`));
}

function writeFile(name: string, contents: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, contents);
  return path;
}

type Totals = Map<string, { units: number; cents: number }>;

/** Per date of the file: the sum of the quantities and, to the cent, of the values. */
function totalsOfText(path: string): Totals {
  const totals: Totals = new Map();
  const text = gunzipSync(readFileSync(path)).toString('utf8').trim();
  for (const row of text.split('\n').slice(1)) {
    const [ts = '', , , , quantity = '', value = ''] = row.split(',');
    add(totals, ts.slice(0, 10), { units: Number(quantity), cents: Math.round(Number(value) * 100) });
  }
  return totals;
}

function add(totals: Totals, key: string, { units, cents }: { units: number; cents: number }): void {
  const before = totals.get(key) ?? { units: 0, cents: 0 };
  totals.set(key, { units: before.units + units, cents: before.cents + cents });
}

async function totalsOfSales(granularity: Granularity, keyOf: (bucketMs: number) => string): Promise<Totals> {
  const totals: Totals = new Map();
  const found = await readTotals(platform.store, {
    granularity,
    fromMs: 0,
    beforeMs: Date.UTC(2018, 1, 1),
    products: 'summed',
  });
  for (const [at, bucketMs] of found.bucketMs.entries()) {
    add(totals, keyOf(bucketMs), {
      units: (found.unitsThousandths[at] ?? 0) / 1000,
      cents: found.revenueMinor[at] ?? 0,
    });
  }
  return totals;
}

const utcDate = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const newYork = new Intl.DateTimeFormat('sv-SE', { timeZone: 'America/New_York', dateStyle: 'short' });

/** By date, without those of which nothing but zeros was sold. */
function sorted(totals: Totals): unknown[] {
  return [...totals]
    .filter(([, { units, cents }]) => units !== 0 || cents !== 0)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

async function importFile(path: string, options: { untilMs?: number; to?: Platform | undefined } = {}) {
  const table = await openTable(path);
  return importHistory({
    table,
    source: presetOf(table.header) as TillSource,
    config,
    platform: 'to' in options ? options.to : platform,
    nowMs: systemClock.nowMs(),
    untilMs: options.untilMs ?? null,
    categoryPath: () => undefined,
  });
}

async function rowsIn(name: string): Promise<number> {
  const [row] = await platform.store.query<{ n: number }>('SELECT count() AS n FROM {table:Identifier}', {
    table: name,
  });
  return row?.n ?? -1;
}

describe('an import of till lines', () => {
  const path = syntheticFile();

  test('a dry run reads everything and stores nothing', async () => {
    const { tickets } = await importFile(path, { to: undefined });
    expect(tickets.tickets).toBe(1_500);
    expect([await rowsIn('transactions'), await rowsIn('sales')]).toEqual([0, 0]);
  });

  test('up to a date: history and what comes later', async () => {
    const { tickets, later } = await importFile(path, { untilMs: Date.UTC(2017, 2, 6, 5) });
    expect(tickets.tickets + later).toBe(1_500);
    expect(later).toBeGreaterThan(500);
    const days = await totalsOfSales('day', utcDate);
    expect(sorted(days)).toEqual(sorted(totalsOfText(path)).slice(0, 14));
  });

  test('the whole: units and cents per day as in the file, days and hours alike', async () => {
    const { tickets, problems } = await importFile(path);
    expect(problems.kept()).toEqual([]);
    expect([tickets.tickets, tickets.refused]).toEqual([1_500, 0]);
    expect(tickets.duplicates).toBeGreaterThan(500);
    expect(sorted(await totalsOfSales('day', utcDate)), `seed ${SEED}`).toEqual(sorted(totalsOfText(path)));
    expect(sorted(await totalsOfSales('hour', (ms) => newYork.format(ms)))).toEqual(
      sorted(totalsOfText(path)),
    );
  });

  test('again: nothing is written, everything is a duplicate', async () => {
    const before = [await rowsIn('sales'), sorted(await totalsOfSales('day', utcDate))];
    const { tickets } = await importFile(path);
    expect(tickets.duplicates).toBe(1_500);
    expect([await rowsIn('sales'), sorted(await totalsOfSales('day', utcDate))]).toEqual(before);
  });

  test('the forecast role is told up to where history is complete', async () => {
    const messages: unknown[] = [];
    const ends = (await platform.log.offsets(TOPICS.buckets)).get(0)?.end ?? 0;
    const done = Promise.withResolvers<void>();
    const tail = await platform.log.tail(
      { topic: TOPICS.buckets, from: 'earliest', batchRecordsMax: 100 },
      {
        async eachBatch({ records }) {
          for (const { value } of records)
            messages.push(platform.codec.decode(TOPICS.buckets, value as Buffer));
          if (messages.length >= ends) done.resolve();
        },
        onCrash: done.reject,
      },
    );
    await done.promise;
    await tail.stop();
    expect(messages.at(-1)).toMatchObject({
      kind: 'HISTORY',
      watermark_ms: Date.UTC(2017, 2, 26, 4),
      open: [],
    });
  });
});

describe('an import of totals', () => {
  test('goes into sales as it is, once', async () => {
    const path = writeFile('daily.csv', 'unique_id,ds,y\nA,2018-01-01,3\nA,2018-01-02,4.5\nA,soon,1\n');
    const run = async () =>
      importTotals({
        table: await openTable(path),
        config,
        platform,
        nowMs: systemClock.nowMs(),
        granularity: 'day',
        timeZone: 'UTC',
        dateOrder: 'iso',
        storeId: null,
        map: {},
      });
    expect(await run()).toMatchObject({ rows: 3, stored: 2, duplicates: 0 });
    expect(await run()).toMatchObject({ rows: 3, stored: 0, duplicates: 2 });
    const days = await totalsOfSales('day', utcDate);
    expect([days.get('2018-01-01')?.units, days.get('2018-01-02')?.units]).toEqual([3, 4.5]);
  });
});

describe('an import of companions', () => {
  test('stores what is new, and only that', async () => {
    const run = async (text: string) => {
      const { rows, stored, duplicates } = await importCompanions({
        kind: 'products',
        table: await openTable(writeFile('products.csv', text)),
        store: platform.store,
        nowMs: systemClock.nowMs(),
        timeZone: 'UTC',
        dateOrder: 'iso',
        map: {},
      });
      return [rows, stored, duplicates];
    };
    expect(await run('sku,name,department\n1,one,A\n2,two,A\n')).toEqual([2, 2, 0]);
    expect(await run('sku,name,department\n1,one,A\n2,two,B\n')).toEqual([2, 1, 1]);
    expect(await rowsIn('products')).toBe(3);
  });
});

describe.skipIf(!existsSync(REAL_FILE))('the real file', () => {
  test('448,871 lines: units and cents of every day', async () => {
    const real = await openPlatform({
      dir: join(dir, 'real'),
      config,
      clock: systemClock,
      telemetry: createTelemetry({ level: 'silent' }),
    });
    try {
      const { tickets, problems } = await importFile(REAL_FILE, { to: real });
      expect([tickets.tickets, tickets.lines, problems.count()]).toEqual([42_204, 448_871, 0]);
      const days = await real.store.query<{ date: string; units: number; cents: number }>(
        `SELECT toString(toDate(bucket)) AS date, sum(units_thousandths) / 1000 AS units, sum(revenue_minor) AS cents
           FROM sales WHERE granularity = 'day' GROUP BY date`,
      );
      const found: Totals = new Map(days.map(({ date, units, cents }) => [date, { units, cents }]));
      expect(sorted(found)).toEqual(sorted(totalsOfText(REAL_FILE)));
    } finally {
      await real.close();
    }
  });
});
