import type { Store } from '../adapters/clickhouse/client.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Codec } from '../pipeline/codec.ts';
import type { Log } from '../pipeline/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Calendars } from './calendars.ts';

/** What ingest and forecast are handed. */
export type RoleDeps = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly calendars: Calendars;
  /** Told when the role cannot go on; the process is to stop. */
  readonly onFailed: (error: unknown) => void;
};
