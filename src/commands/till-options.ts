/** Options that describe a file of till lines, and the description they make together with what the file itself says. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { parseMappings } from '../adapters/csv/columns.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import { PRESETS, presetOf } from '../adapters/csv/till-source.ts';
import type { TillSource } from '../adapters/csv/till-source.ts';
import type { Config } from '../config.ts';
import { collect } from './options.ts';

export type TillOptions = {
  readonly preset?: string;
  readonly map: readonly string[];
  readonly store?: string;
  readonly zone?: string;
  readonly currency?: string;
  readonly dates: DateOrder;
};

export const KNOWN_FILES = `Known files, found by their columns: ${PRESETS.map(({ name, about }) => `${name} (${about})`).join('; ')}.`;

export function addTillOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--preset <name>', 'treat it as this known file').choices(PRESETS.map(({ name }) => name)),
    )
    .option('--map <field=Column>', 'which column holds a field (repeatable)', collect, [])
    .option('--store <name>', 'the shop, when the file does not name it')
    .option('--zone <zone>', "IANA time zone of the shops' clocks, e.g. Europe/Berlin")
    .option('--currency <code>', 'ISO 4217, e.g. EUR')
    .addOption(new Option('--dates <order>', 'order of dates').choices(['iso', 'dmy', 'mdy']).default('iso'));
}

/** A known file, with what the options say otherwise; or any file, described by the options. */
export function tillSource(header: readonly string[], options: TillOptions, config: Config): TillSource {
  const preset =
    options.preset === undefined ? presetOf(header) : PRESETS.find(({ name }) => name === options.preset);
  return {
    name: preset?.name ?? 'columns',
    map: { ...preset?.map, ...parseMappings(options.map) },
    timeZone: options.zone ?? preset?.timeZone ?? config.timeZone,
    currency: options.currency ?? preset?.currency ?? config.currency,
    storeId: options.store ?? preset?.storeId ?? null,
    dateOrder: options.dates,
    discounts: preset?.discounts ?? [],
    ignoredItems: preset?.ignoredItems ?? [],
  };
}
