import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store, Table } from '../../../src/adapters/clickhouse/client.ts';
import { openStore } from '../../../src/adapters/clickhouse/client.ts';
import type { EngineDeath } from '../../../src/adapters/clickhouse/embedded-engine.ts';
import { startEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';
import { eventually } from './engine-fixture.ts';
import { kill, runProgram } from './process-fixture.ts';

const limits = DEFAULT_CONFIG.engine;
const EVENTS: Table = { name: 'events', columns: ['id'] };

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-engine-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

type Address = { readonly url: string; readonly username: string; readonly password: string };

async function openEvents(address: Address): Promise<Store> {
  const { url, username, password } = address;
  const store = await openStore({
    url,
    username,
    password,
    createDatabase: true,
    limits: DEFAULT_CONFIG.store,
  });
  await store.command(`CREATE TABLE IF NOT EXISTS events (id UInt64) ENGINE = MergeTree ORDER BY id
    SETTINGS non_replicated_deduplication_window = 1000`);
  return store;
}

async function ids(store: Store): Promise<number[]> {
  const { id } = await store.queryColumns<{ id: number[] }>('SELECT id FROM events ORDER BY id');
  return id;
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/ping`).then(
    (response) => response.ok,
    () => false,
  );

describe('the engine', () => {
  it('killed in the middle of inserts comes back with every acknowledged row, each once', async () => {
    const deaths: EngineDeath[] = [];
    const engine = await startEmbeddedEngine({ dir, limits, onExit: (death) => deaths.push(death) });
    const store = await openEvents(engine);
    const acknowledged: number[] = [];
    const stopped = { yet: false };
    const killing = (async () => {
      for (let kills = 0; kills < 3; kills++) {
        const from = acknowledged.length;
        await eventually('inserts go on', () => acknowledged.length > from + 1_000);
        process.kill(engine.pid()!, 'SIGKILL');
        await eventually('the death is noticed', () => deaths.length === kills + 1);
      }
      stopped.yet = true;
    })();
    for (let batch = 0; !stopped.yet; batch++) {
      const rows = Array.from({ length: 100 }, (_, i) => [batch * 100 + i]);
      await store.insert(EVENTS, rows, { token: `batch ${batch}` });
      for (const [id] of rows) acknowledged.push(id!);
    }
    await killing;
    expect(deaths.map(({ signal, restarting }) => [signal, restarting])).toEqual(
      Array.from({ length: 3 }, () => ['SIGKILL', true]),
    );
    expect(await ids(store)).toEqual(acknowledged);
    await store.close();
    await engine.stop();
  });

  it('stopped and started again has its rows', async () => {
    for (const [i, expected] of [[0], [0, 1], [0, 1, 2]].entries()) {
      const engine = await startEmbeddedEngine({ dir, limits });
      const store = await openEvents(engine);
      await store.insert(EVENTS, [[i]], { token: `${i}` });
      expect(await ids(store)).toEqual(expected);
      await store.close();
      await engine.stop();
      expect(await answers(engine.url)).toBe(false);
    }
  });

  it('stopped with statements in work lets them end', async () => {
    const engine = await startEmbeddedEngine({ dir, limits });
    const store = await openEvents(engine);
    const slow = store.query('SELECT sleep(1) AS slept');
    await eventually('the statement runs', async () => {
      const [row] = await store.query<{ n: number }>(
        "SELECT count() AS n FROM system.processes WHERE query LIKE '%sleep(1)%' AND query NOT LIKE '%processes%'",
      );
      return row!.n > 0;
    });
    await engine.stop();
    expect(await slow).toEqual([{ slept: 0 }]);
    await store.close();
  });

  it('that cannot be kept up is reported and stays down', async () => {
    const deaths: EngineDeath[] = [];
    const engine = await startEmbeddedEngine({
      dir,
      limits: { ...limits, restartsMax: 0 },
      onExit: (death) => deaths.push(death),
    });
    process.kill(engine.pid()!, 'SIGKILL');
    await eventually('it is given up', () => deaths.some(({ restarting }) => !restarting));
    expect(engine.pid()).toBeUndefined();
    await engine.stop();
  });

  it('does not open a directory twice', async () => {
    const engine = await startEmbeddedEngine({ dir, limits });
    await expect(startEmbeddedEngine({ dir, limits: { ...limits, lockWaitMs: 200 } })).rejects.toMatchObject({
      code: 'DATA_DIR_LOCKED',
      message: expect.stringContaining(`process ${engine.pid()} (foretill engine)`),
    });
    await engine.stop();
  });

  it('says what is wrong with a directory', async () => {
    const path = join(dir, 'file');
    await writeFile(path, 'x');
    await expect(startEmbeddedEngine({ dir: path, limits })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining(path),
    });
  });
});

describe('its owner', () => {
  it('killed takes it along, and the next owner has every row', async () => {
    const holder = await runProgram<Address & { pid: number }>(
      new URL('./engine-holder.ts', import.meta.url),
      [dir],
    );
    const store = await openEvents(holder.first);
    await store.insert(EVENTS, [[1], [2]], { token: 'a' });
    await store.close();
    await kill(holder.process, 'SIGKILL');

    const engine = await startEmbeddedEngine({ dir, limits });
    expect(await answers(holder.first.url)).toBe(false);
    const again = await openEvents(engine);
    expect(await ids(again)).toEqual([1, 2]);
    await again.close();
    await engine.stop();
  });

  it('interrupted at the terminal is not left without it: the signal reaches both', async () => {
    const engine = await startEmbeddedEngine({ dir, limits });
    process.kill(engine.pid()!, 'SIGINT');
    const store = await openEvents(engine);
    expect(await ids(store)).toEqual([]);
    await store.close();
    await engine.stop();
  });
});
