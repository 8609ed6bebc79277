/**
 * The settings that say what the figures of a database mean: a total in two currencies, or a day of two zones, is none.
 * Processes that share the tables may stand on different machines, so the tables themselves remember them.
 */
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { Store, Table } from './client.ts';

const SETTLED = ['currency', 'timeZone', 'businessDayStartMinutes'] as const;
const TABLE: Table = { name: 'settled_settings', columns: ['name', 'value', 'recorded_at'] };

/**
 * Enters them where the tables are new; else they must be the same. Throws CONFIG_INVALID with the first that differs.
 */
export async function agreeOnSettings(
  store: Store,
  { config, clock }: { readonly config: Config; readonly clock: Clock },
): Promise<void> {
  let known = await readSettled(store);
  const missing = SETTLED.filter((name) => !known.has(name));
  if (missing.length > 0) {
    const nowMs = clock.nowMs();
    await store.insert(
      TABLE,
      missing.map((name) => [name, JSON.stringify(config[name]), nowMs]),
      { token: `settled:${missing.join()}:${JSON.stringify(missing.map((name) => config[name]))}` },
    );
    known = await readSettled(store);
  }
  for (const name of SETTLED) {
    const wanted = JSON.stringify(config[name]);
    const found = known.get(name);
    if (found === wanted) continue;
    throw new ForetillError(
      'CONFIG_INVALID',
      `The tables are kept with ${name} ${found}, and this process is set to ${wanted}.`,
      { remedy: 'Give all processes the same settings, or use another --store-database or --dir.' },
    );
  }
}

async function readSettled(store: Store): Promise<ReadonlyMap<string, string>> {
  const rows = await store.query<{ name: string; earliest: string }>(
    'SELECT name, argMin(value, (recorded_at, value)) AS earliest FROM settled_settings GROUP BY name',
  );
  return new Map(rows.map(({ name, earliest }) => [name, earliest]));
}
