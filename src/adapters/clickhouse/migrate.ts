/**
 * Brings a database to the schema of schemas/clickhouse: numbered files (`003-companions.sql`), forward only, each
 * applied once and remembered with its checksum in the table `migrations`. Statements are written to be repeatable
 * (`IF NOT EXISTS`), so a crash between a file and its entry, or two processes at once, do no harm.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.ts';
import { ForetillError } from '../../errors.ts';
import type { Store, Table } from './client.ts';
import { splitStatements } from './split-statements.ts';

type Migration = {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly text: string;
};
type Applied = { readonly number: number; readonly name: string; readonly checksum: string };

const SCHEMA_DIR = fileURLToPath(new URL('../../../schemas/clickhouse/', import.meta.url));
const MIGRATIONS: Table = { name: 'migrations', columns: ['number', 'name', 'checksum', 'applied_at'] };

/**
 * Returns the numbers applied now. Errors: STORE_SCHEMA_NEWER when the database was made by a newer version,
 * STORE_REJECTED when a file that was applied has changed since.
 */
export async function migrate(store: Store, options: { clock: Clock; dir?: string }): Promise<number[]> {
  const files = await readMigrations(options.dir ?? SCHEMA_DIR);
  await store.command(`
    CREATE TABLE IF NOT EXISTS migrations (
      number UInt32, name String, checksum FixedString(64), applied_at DateTime64(3, 'UTC')
    ) ENGINE = MergeTree ORDER BY number SETTINGS non_replicated_deduplication_window = 1000`);
  const applied = await store.query<Applied>(
    'SELECT DISTINCT number, name, checksum FROM migrations ORDER BY number',
  );
  refuseForeign(files, applied);
  const done = new Set(applied.map(({ number }) => number));
  const missing = files.filter(({ number }) => !done.has(number));
  for (const file of missing) {
    for (const statement of splitStatements(file.text)) await store.command(statement);
    await store.insert(MIGRATIONS, [[file.number, file.name, file.checksum, options.clock.nowMs()]], {
      token: `migration:${file.number}:${file.checksum}`,
    });
  }
  return missing.map(({ number }) => number);
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dir, name), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { number: Number(name.slice(0, 3)), name, checksum, text };
    }),
  );
}

function refuseForeign(files: readonly Migration[], applied: readonly Applied[]): void {
  const known = new Map(files.map((file) => [file.number, file]));
  for (const { number, name, checksum } of applied) {
    const file = known.get(number);
    if (file === undefined) {
      throw new ForetillError(
        'STORE_SCHEMA_NEWER',
        `The database has migration ${name}, which this version does not know.`,
        {
          remedy: 'Start the newer version of foretill, or use another database or --dir.',
        },
      );
    }
    if (file.checksum !== checksum) {
      throw new ForetillError(
        'STORE_REJECTED',
        `The migration ${file.name} has changed since it was applied to the database.`,
        {
          remedy: 'Restore the file; changes to the schema go into a new numbered file.',
        },
      );
    }
  }
}
