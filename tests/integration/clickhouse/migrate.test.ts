import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/adapters/clickhouse/migrate.ts';
import { manualClock } from '../../../src/clock.ts';
import { START_MS, useEngine } from './engine-fixture.ts';

const fixture = useEngine();
const clock = manualClock(START_MS);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-migrations-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const FIRST = `-- a comment; with a semicolon
CREATE TABLE IF NOT EXISTS a (x String DEFAULT 'semi;colon') ENGINE = MergeTree ORDER BY x;
CREATE TABLE IF NOT EXISTS b (y UInt8) ENGINE = MergeTree ORDER BY y;`;
const SECOND = 'ALTER TABLE b ADD COLUMN IF NOT EXISTS z UInt8';

const file = (name: string, text: string) => writeFile(join(dir, name), text);

describe('migrations', () => {
  it('of this version make every table, once', async () => {
    const store = await fixture.openDatabase();
    expect(await migrate(store, { clock })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await migrate(store, { clock })).toEqual([]);
    const tables = await store.query<{ name: string }>(
      'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name',
    );
    expect(tables.map(({ name }) => name)).toEqual([
      'calendar_days',
      'forecasts',
      'migrations',
      'model_state',
      'products',
      'promotions',
      'sales',
      'scores',
      'settled_settings',
      'stock_levels',
      'stores',
      'transactions',
      'weather',
    ]);
  });

  it('are applied in order, several statements a file, the new ones later', async () => {
    const store = await fixture.openDatabase();
    await file('001-first.sql', FIRST);
    await file('notes.txt', 'not a migration');
    expect(await migrate(store, { clock, dir })).toEqual([1]);
    await file('002-second.sql', SECOND);
    expect(await migrate(store, { clock, dir })).toEqual([2]);
    expect(
      await store.query(
        'SELECT number, name, toUnixTimestamp64Milli(applied_at) AS at FROM migrations ORDER BY number',
      ),
    ).toEqual([
      { number: 1, name: '001-first.sql', at: START_MS },
      { number: 2, name: '002-second.sql', at: START_MS },
    ]);
  });

  it('interrupted before the entry are applied again', async () => {
    const store = await fixture.openDatabase();
    await file('001-first.sql', FIRST);
    await migrate(store, { clock, dir });
    await store.command('TRUNCATE TABLE migrations');
    await file('002-second.sql', SECOND);
    expect(await migrate(store, { clock, dir })).toEqual([1, 2]);
  });

  it('that changed after they were applied are refused', async () => {
    const store = await fixture.openDatabase();
    await file('001-first.sql', FIRST);
    await migrate(store, { clock, dir });
    await file('001-first.sql', `${FIRST} -- changed`);
    await expect(migrate(store, { clock, dir })).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      message: expect.stringContaining('001-first.sql'),
    });
  });

  it('of a newer version are refused', async () => {
    const store = await fixture.openDatabase();
    await file('001-first.sql', FIRST);
    await file('002-second.sql', SECOND);
    await migrate(store, { clock, dir });
    await rm(join(dir, '002-second.sql'));
    await expect(migrate(store, { clock, dir })).rejects.toMatchObject({ code: 'STORE_SCHEMA_NEWER' });
  });

  it('with a mistake stop there and say what is wrong', async () => {
    const store = await fixture.openDatabase();
    await file('001-first.sql', 'CREATE TABLE c (x Strin) ENGINE = MergeTree ORDER BY x');
    await expect(migrate(store, { clock, dir })).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      message: expect.stringContaining('Strin'),
    });
    expect(await store.query('SELECT * FROM migrations')).toEqual([]);
  });
});
