/** `foretill doctor`: whether this machine and a data directory can run Foretill, and what to do where not. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, freemem, platform as osPlatform, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { ForetillError } from '../errors.ts';
import { openPlatform } from '../platform.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { demandFreePort } from './free-port.ts';
import { dirOption, jsonOption, wholeNumber } from './options.ts';
import { addPlatformOptions, PLATFORM_ENVIRONMENT, platformPlaces } from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';
import { writeErrorDetailsTo } from './report-error.ts';

type Options = PlatformPlaces & { readonly dir?: string; readonly port: number; readonly json?: boolean };
type Finding = {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly remedy: string;
};

const GIB = 2 ** 30;
const MEMORY_GIB_MIN = 2;
const DISK_GIB_MIN = 1;
const NODE_MAJOR_MIN = 24;
const EXIT_NOT_FIT = 10;

const EXAMPLES = `
Examples:
  foretill doctor
  foretill doctor --dir ./data --json

Exit code 10: something must be changed first; it says what. A directory that is in use is not opened.
${PLATFORM_ENVIRONMENT}`;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .addOption(dirOption())
    .option('--port <port>', 'port that the system would listen on', wholeNumber(0, 65_535), 8642)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES);
  return addPlatformOptions(command).action(examine);
}

async function examine(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const findings = [node(), memory(), await disk(dir), await port(options.port), await opens(dir, options)];
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT_NOT_FIT;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ok: findings.every(({ ok }) => ok), findings })}\n`);
    return;
  }
  for (const { check, ok, found, remedy } of findings) {
    process.stdout.write(
      `${ok ? 'good' : 'BAD '}  ${check.padEnd(16)} ${found}${ok ? '' : `\n      what to do: ${remedy}`}\n`,
    );
  }
}

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return {
    check: 'Node.js',
    ok: major >= NODE_MAJOR_MIN,
    found: `${process.versions.node} on ${osPlatform()}, ${cpus().length} cores`,
    remedy: `Start it with \`npm run foretill -- doctor\`, which brings Node ${NODE_MAJOR_MIN}.`,
  };
}

function memory(): Finding {
  const free = freemem() / GIB;
  return {
    check: 'Memory',
    ok: free >= MEMORY_GIB_MIN,
    found: `${free.toFixed(1)} GiB free of ${(totalmem() / GIB).toFixed(1)}`,
    remedy: `Close other programs: ${MEMORY_GIB_MIN} GiB should be free.`,
  };
}

async function disk(dir: string): Promise<Finding> {
  let place = dir;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const { bavail, bsize } = await statfs(place);
  const free = (bavail * bsize) / GIB;
  return {
    check: 'Disk',
    ok: free >= DISK_GIB_MIN,
    found: `${free.toFixed(1)} GiB free for ${dir}`,
    remedy: `Free some space or choose another --dir: ${DISK_GIB_MIN} GiB should be free.`,
  };
}

async function port(number: number): Promise<Finding> {
  const error = await demandFreePort({ host: '127.0.0.1', port: number }).then(() => null, asFault);
  return {
    check: 'Port',
    ok: error === null,
    found: error === null ? `${number} is free` : error.message,
    remedy: error?.remedy ?? '',
  };
}

/** Opens everything: the lock, the log, the engine, the tables, the schemas; wherever they are. */
async function opens(dir: string, options: Options): Promise<Finding> {
  const check = 'Log and tables';
  try {
    const telemetry = createTelemetry({ level: 'silent' });
    const places = platformPlaces(options);
    const platform = await openPlatform({
      dir,
      config: loadConfig(dir),
      clock: systemClock,
      telemetry,
      ...places,
    });
    const rows = await platform.store.query<{ n: number }>('SELECT count() AS n FROM transactions');
    await platform.close();
    return {
      check,
      ok: true,
      found: `${[dir, places.cluster?.kafka.brokers, places.store?.url].filter(Boolean).join(', ')}: log and tables open, ${rows[0]?.n ?? 0} tickets`,
      remedy: '',
    };
  } catch (error) {
    const { message, remedy } = asFault(error);
    return { check, ok: false, found: message, remedy };
  }
}

function asFault(error: unknown): ForetillError {
  if (error instanceof ForetillError) return error;
  throw error;
}
