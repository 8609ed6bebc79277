/** Options for tables on a ClickHouse server instead of in the data directory. */
import type { Command } from 'commander';
import type { StoreAddress } from '../platform.ts';

export type StoreOptions = {
  readonly storeUrl?: string;
  readonly storeUser?: string;
  readonly storeDatabase?: string;
};

export function addStoreOptions(command: Command): Command {
  return command
    .option('--store-url <url>', 'ClickHouse server, e.g. http://127.0.0.1:8123 (default: embedded)')
    .option('--store-user <name>', 'its user')
    .option('--store-database <name>', 'its database');
}

/** Undefined: the embedded engine. The password comes from FORETILL_STORE_PASSWORD, never from the command line. */
export function storeAddress(options: StoreOptions): StoreAddress | undefined {
  const { storeUrl, storeUser, storeDatabase } = options;
  if (storeUrl === undefined) return undefined;
  const password = process.env['FORETILL_STORE_PASSWORD'];
  return {
    url: storeUrl,
    ...(storeUser === undefined ? {} : { username: storeUser }),
    ...(storeDatabase === undefined ? {} : { database: storeDatabase }),
    ...(password === undefined ? {} : { password }),
  };
}
