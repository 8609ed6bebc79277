/**
 * Settings that belong to a data directory stand in its `foretill.json`: every command that opens it goes by the same
 * currency, zone and limits. The file holds any part of the configuration (src/config.ts).
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { resolveConfig } from '../config.ts';
import type { Config, ConfigOverrides } from '../config.ts';
import { ForetillError } from '../errors.ts';

const FILE = 'foretill.json';

/** The directory of `--dir`, else of FORETILL_DIR, else `data/` beside where the command was started. */
export function dataDir(option: string | undefined): string {
  return resolve(option ?? process.env['FORETILL_DIR'] ?? 'data');
}

/** The configuration of a data directory; the defaults where it has no settings. Throws CONFIG_INVALID. */
export function loadConfig(dir: string, overrides: Partial<Config> = {}): Config {
  return resolveConfig({ ...checkedSettings(dir), ...overrides });
}

/** Throws CONFIG_INVALID, by the file's name. */
function checkedSettings(dir: string): ConfigOverrides {
  const settings = readSettings(dir);
  resolveConfig(settings, `The settings in ${join(dir, FILE)} cannot be used`);
  return settings;
}

/**
 * Enters settings in a data directory, before anything is stored in it. Throws CONFIG_INVALID when it already has
 * others: totals in two currencies, or days of two zones, cannot be added up.
 */
export function keepSettings(dir: string, settings: Partial<Config>): Config {
  const known = checkedSettings(dir);
  const merged = { ...known, ...settings };
  const config = resolveConfig(merged);
  for (const [name, value] of Object.entries(settings)) {
    const before = known[name as keyof Config];
    if (before === undefined || JSON.stringify(before) === JSON.stringify(value)) continue;
    throw new ForetillError(
      'CONFIG_INVALID',
      `The data directory ${dir} has ${name} ${JSON.stringify(before)}, this needs ${JSON.stringify(value)}.`,
      { remedy: 'Use another --dir for it.' },
    );
  }
  if (JSON.stringify(merged) !== JSON.stringify(known)) writeSettings(dir, merged);
  return config;
}

function writeSettings(dir: string, settings: ConfigOverrides): void {
  const file = join(dir, FILE);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new ForetillError('DATA_DIR_UNUSABLE', `${file} cannot be written: ${(error as Error).message}.`, {
      remedy: 'Give this user the right to write there, or choose another --dir.',
      cause: error,
    });
  }
}

function readSettings(dir: string): ConfigOverrides {
  const file = join(dir, FILE);
  let settings: unknown;
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT' || (error as { code?: string }).code === 'ENOTDIR')
      return {};
    throw invalid(file, (error as Error).message);
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw invalid(file, 'it is no object');
  return settings;
}

function invalid(file: string, why: string): ForetillError {
  return new ForetillError('CONFIG_INVALID', `The settings in ${file} cannot be used: ${why}.`, {
    remedy: 'Make it an object like { "currency": "EUR", "timeZone": "Europe/Berlin" }.',
  });
}
