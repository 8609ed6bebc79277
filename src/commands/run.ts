/** `foretill run`: the system on a data directory, until it is stopped. */
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../clock.ts';
import { startSystem } from '../main.ts';
import { openPlatform } from '../platform.ts';
import type { RoleName } from '../telemetry/events.ts';
import { createTelemetry, logLevelFrom } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { dirOption, wholeNumber } from './options.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { addStoreOptions, storeAddress } from './store-options.ts';
import type { StoreOptions } from './store-options.ts';

const ROLES: readonly RoleName[] = ['ingest', 'forecast', 'serve'];

type Options = StoreOptions & {
  readonly dir?: string;
  readonly roles: readonly RoleName[];
  readonly host: string;
  readonly port: number;
};

const EXAMPLES = `
Examples:
  foretill run --dir ./data                          everything in one process, at http://127.0.0.1:8642
  FORETILL_TOKEN=… foretill run --host 0.0.0.0       for other machines: needs a token
  foretill run --store-url http://clickhouse:8123    tables on a ClickHouse server instead of in the directory

Environment:
  FORETILL_TOKEN           token that every request must bear
  FORETILL_STORE_PASSWORD  password of the ClickHouse server`;

export function runCommand(): Command {
  const command = new Command('run')
    .addOption(dirOption())
    .option('--roles <list>', 'which of ingest, forecast, serve; separated by commas', parseRoles, ROLES)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any', wholeNumber(0, 65_535), 8642)
    .addHelpText('after', EXAMPLES);
  return addStoreOptions(command).action(run);
}

async function run(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const telemetry = createTelemetry({ level: logLevelFrom(process.env), processMetrics: true });
  const store = storeAddress(options);
  const token = process.env['FORETILL_TOKEN'];
  const platform = await openPlatform({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry,
    ...(store === undefined ? {} : { store }),
  });
  await runUntilStopped(platform, {
    start: (onFailed) =>
      startSystem({
        platform,
        roles: options.roles,
        listen: { host: options.host, port: options.port, ...(token === undefined ? {} : { token }) },
        onFailed,
      }),
    started: ({ url }) => {
      if (url !== null) process.stdout.write(`Foretill is at ${url} (Ctrl-C stops it)\n`);
    },
    stopping: 'Stopping: finishing what is in work. Ctrl-C again ends at once.',
  });
}

function parseRoles(text: string): readonly RoleName[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !ROLES.some((role) => role === word));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${ROLES.join(', ')}.`);
  return ROLES.filter((role) => words.includes(role));
}
