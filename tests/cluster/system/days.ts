/** Some days of four shops, as the tests of the cluster send them. */
import type { Config } from '../../../src/config.ts';
import { lastTickets, makeTraffic } from '../../simulation/traffic.ts';
import type { Sent } from '../../simulation/traffic.ts';

/** A change to summer time is among them. */
const START_MS = Date.parse('2017-03-11T09:00:00Z');
const HOURS = 52;
/** When all are over, also in the zone of the last shop. */
export const UNTIL_MS = Date.parse('2017-03-14T07:00:00Z');

export type Days = {
  readonly sent: readonly Sent[];
  /** They close everything before UNTIL_MS; to be sent at the end. */
  readonly last: readonly Sent[];
  readonly all: readonly Sent[];
};

export function makeDays(seed: string, { perHour, config }: { perHour: number; config: Config }): Days {
  const sent = makeTraffic({ seed, startMs: START_MS, hours: HOURS, perHour, dayStartMinutes: 0 });
  const { allowedLatenessMs } = config;
  const last = lastTickets(sent, { untilMs: UNTIL_MS, allowedLatenessMs, arrivalMs: UNTIL_MS });
  return { sent, last, all: [...sent, ...last] };
}
