/** `foretill migrate`: the tables of a data directory or server, brought up to this version. */
import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { openPlatform } from '../platform.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { dirOption, jsonOption } from './options.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { addPlatformOptions, PLATFORM_ENVIRONMENT, platformPlaces } from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';

type Options = PlatformPlaces & { readonly dir?: string; readonly json?: boolean };

const EXAMPLES = `
Examples:
  foretill migrate --dir ./data
  foretill migrate --store-url http://clickhouse:8123 --json

Every command that opens the tables does this by itself; going back to an older version is not possible.
Exit code 8: the server refuses, or its tables are newer than this version.
${PLATFORM_ENVIRONMENT}`;

export function migrateCommand(): Command {
  const command = new Command('migrate')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES);
  return addPlatformOptions(command).action(migrateNow);
}

async function migrateNow(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const platform = await openPlatform({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry: createTelemetry({ level: 'warn', format: 'human' }),
    ...platformPlaces(options),
  });
  try {
    const migrations = await platform.store.query<{ name: string; applied: string }>(
      'SELECT name, toString(min(applied_at)) AS applied FROM migrations GROUP BY number, name ORDER BY number',
    );
    if (options.json === true) process.stdout.write(`${JSON.stringify({ migrations })}\n`);
    else
      for (const { name, applied } of migrations)
        process.stdout.write(`${applied.slice(0, 19)} UTC  ${name}\n`);
  } finally {
    await platform.close();
  }
}
