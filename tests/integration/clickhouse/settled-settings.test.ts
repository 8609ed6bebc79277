import { describe, expect, it } from 'vitest';
import { migrate } from '../../../src/adapters/clickhouse/migrate.ts';
import { agreeOnSettings } from '../../../src/adapters/clickhouse/settled-settings.ts';
import { manualClock } from '../../../src/clock.ts';
import { resolveConfig } from '../../../src/config.ts';
import type { ConfigOverrides } from '../../../src/config.ts';
import { START_MS, useEngine } from './engine-fixture.ts';

const fixture = useEngine();
const clock = manualClock(START_MS);
const euros: ConfigOverrides = { currency: 'EUR', timeZone: 'Europe/Berlin', businessDayStartMinutes: 240 };

async function openTables() {
  const store = await fixture.openDatabase();
  await migrate(store, { clock });
  return (overrides: ConfigOverrides) => agreeOnSettings(store, { config: resolveConfig(overrides), clock });
}

describe('settings that say what figures mean', () => {
  it('are those of the first process that opens the tables', async () => {
    const agree = await openTables();
    await agree(euros);
    await agree({ ...euros, shards: 3 });
  });

  it.each<[string, ConfigOverrides, string]>([
    ['another currency', { currency: 'CHF' }, 'currency "EUR", and this process is set to "CHF"'],
    ['another zone', { timeZone: 'UTC' }, 'timeZone "Europe/Berlin", and this process is set to "UTC"'],
    [
      'another day',
      { businessDayStartMinutes: 0 },
      'businessDayStartMinutes 240, and this process is set to 0',
    ],
  ])('%s is refused, and changes nothing', async (_, other, message) => {
    const agree = await openTables();
    await agree(euros);
    clock.advance(1000);
    await expect(agree({ ...euros, ...other })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
    await agree(euros);
  });

  it('of several that come first at once are those of one', async () => {
    const agree = await openTables();
    const all = await Promise.allSettled(
      ['EUR', 'CHF', 'USD'].map((currency) => agree({ ...euros, currency })),
    );
    const agreed = await Promise.allSettled(
      ['EUR', 'CHF', 'USD'].map((currency) => agree({ ...euros, currency })),
    );
    expect(agreed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(all.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  });
});
