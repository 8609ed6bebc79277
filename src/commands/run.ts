/** `foretill run`: the system on a data directory, until it is stopped. */
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../clock.ts';
import { ForetillError } from '../errors.ts';
import { startSystem } from '../main.ts';
import { openPlatform } from '../platform.ts';
import type { RoleName } from '../telemetry/events.ts';
import { createTelemetry, logLevelFrom } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { demandFreePort } from './free-port.ts';
import { dirOption, wholeNumber } from './options.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import {
  addPlatformOptions,
  addRegisterOption,
  PLATFORM_ENVIRONMENT,
  platformPlaces,
} from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';

const ROLES: readonly RoleName[] = ['ingest', 'forecast', 'serve'];

type Options = PlatformPlaces & {
  readonly dir?: string;
  readonly roles: readonly RoleName[];
  readonly host: string;
  readonly port: number;
  readonly metricsPort?: number;
};

const METRICS_PORT = 9464;

const EXAMPLES = `
Examples:
  foretill run --dir ./data                          everything in one process, at http://127.0.0.1:8642
  FORETILL_TOKEN=… foretill run --host 0.0.0.0       for other machines: needs a token
  foretill run --store-url http://clickhouse:8123    tables on a ClickHouse server instead of in the directory
  foretill run --roles ingest --kafka-brokers kafka:9092 --schema-registry-url http://registry:8081 \\
    --store-url http://clickhouse:8123               one role of a cluster; start as many of each as are needed

A process without role serve answers /health, /ready and /metrics on a port of its own. With Kafka, topics and schemas
must be there already: \`foretill topics --register\` once. FORETILL_TOKEN is the token that every request must bear.
${PLATFORM_ENVIRONMENT}`;

export function runCommand(): Command {
  const command = new Command('run')
    .addOption(dirOption())
    .option('--roles <list>', 'which of ingest, forecast, serve; separated by commas', parseRoles, ROLES)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any', wholeNumber(0, 65_535), 8642)
    .option(
      '--metrics-port <port>',
      `without role serve: port for /health, /ready and /metrics (default: ${METRICS_PORT}, or any that is free)`,
      wholeNumber(0, 65_535),
    )
    .addHelpText('after', EXAMPLES);
  return addRegisterOption(addPlatformOptions(command)).action(run);
}

async function run(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const telemetry = createTelemetry({ level: logLevelFrom(process.env), processMetrics: true });
  const token = process.env['FORETILL_TOKEN'];
  const secret = token === undefined ? {} : { token };
  const metricsPort = options.metricsPort ?? (await freeOr(METRICS_PORT, options.host));
  const places = platformPlaces(options, { waits: true });
  demandSharedStore(options, places);
  const platform = await openPlatform({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry,
    ...places,
  });
  await runUntilStopped(platform, {
    start: (onFailed) =>
      startSystem({
        platform,
        roles: options.roles,
        listen: { host: options.host, port: options.port, ...secret },
        health: { host: options.host, port: metricsPort, ...secret },
        onFailed,
      }),
    started: ({ url, healthUrl }) => {
      const at = url === null ? `${healthUrl}/metrics: role ${options.roles.join(', ')}` : url;
      process.stdout.write(`Foretill is at ${at} (Ctrl-C stops it)\n`);
    },
    stopping: 'Stopping: finishing what is in work. Ctrl-C again ends at once.',
  });
}

/** Roles in several processes are one system only over the same tables. */
function demandSharedStore({ roles }: Options, { cluster, store }: ReturnType<typeof platformPlaces>): void {
  if (cluster === undefined || store !== undefined || roles.length === ROLES.length) return;
  throw new ForetillError(
    'USAGE',
    `Role ${roles.join(', ')} alone needs tables that other processes share.`,
    {
      remedy: 'Add --store-url (or CLICKHOUSE_URL), or run all roles in this process.',
    },
  );
}

/** That port, or 0 (any) when it is taken: there may be several processes on this machine. */
async function freeOr(port: number, host: string): Promise<number> {
  return demandFreePort({ host, port }).then(
    () => port,
    () => 0,
  );
}

function parseRoles(text: string): readonly RoleName[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !ROLES.some((role) => role === word));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${ROLES.join(', ')}.`);
  return ROLES.filter((role) => words.includes(role));
}
