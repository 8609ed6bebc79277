/** Roles in processes of their own come to what is worked out offline; and the judge who says so can say no. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRefused } from '../simulation/traffic.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'system';

let system: ClusterSystem;

beforeEach(async () => {
  system = await openClusterSystem({ seed: SEED, settings: { shards: 2 } });
});
afterEach(() => system.close());

test(`without faults all is as it must be, and what is changed afterwards is found (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 8, config: system.config });
  const roles = [system.keep('ingest'), system.keep('forecast')];
  await system.send(sent);
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  for (const role of roles) expect(await role.stop('SIGTERM'), system.outputs()).toMatchObject({ code: 0 });
  expect(system.failures()).toEqual([]);

  const some = all.find((each) => !isRefused(each))?.message?.transaction_id;
  const without = all.filter(({ message }) => message?.transaction_id !== some);
  await expect(system.judge(without, UNTIL_MS)).rejects.toThrow('tickets: 1 differ');
  await system.platform.store.command(
    `INSERT INTO sales SELECT * REPLACE (units_thousandths + 1 AS units_thousandths, now64(3) + 1 AS recorded_at)
     FROM sales WHERE units_thousandths > 0 ORDER BY ALL LIMIT 1`,
  );
  await expect(system.judge(all, UNTIL_MS)).rejects.toThrow('sales: 1 differ');
});
