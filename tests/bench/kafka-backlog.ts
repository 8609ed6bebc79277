/**
 * A backlog, taken in by `foretill run --roles ingest` as a process of its own: how long two million tickets take, and
 * whether its memory stays flat over all five million.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import type { Platform } from '../../src/platform.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { startRole } from '../cluster/system/role-process.ts';
import { withTenant } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { committed, TIME_ZONE } from './ingest.ts';
import { createTicketMaker } from './tickets.ts';

const FROM_MS = Date.UTC(2026, 4, 11, 10);
/** As many as a chain of 20 busy stores sells in an hour. */
const TICKETS_PER_HOUR = 20_000;
const CHUNK = 5_000;
const SAMPLE_EVERY_MS = 1_000;
const SETTINGS = { timeZone: TIME_ZONE };

export async function benchBacklog(cluster: Cluster, { quick }: { readonly quick: boolean }): Promise<void> {
  const tickets = quick ? 400_000 : 5_000_000;
  const catchUp = quick ? 200_000 : 2_000_000;
  const place = { settings: SETTINGS, clock: systemClock };
  await withTenant(cluster, place, async ({ platform, environment }) => {
    await fillBacklog(tickets, platform);
    console.log(`backlog of ${tickets.toLocaleString('en')} tickets, one ingest process`);
    const process = startRole('ingest', environment);
    const begin = performance.now();
    const samples: { readonly tickets: number; readonly bytes: number }[] = [];
    let caughtUp: number | null = null;
    for (let done = 0; done < tickets;) {
      await delay(SAMPLE_EVERY_MS);
      if (process.hasEnded()) throw new Error(process.output());
      done = await committed(platform);
      if (done >= catchUp) caughtUp ??= (performance.now() - begin) / 1_000;
      samples.push({ tickets: done, bytes: await residentBytes(process.pid) });
    }
    const seconds = (performance.now() - begin) / 1_000;
    await process.kill('SIGTERM');
    console.log(
      `  ${catchUp.toLocaleString('en')} taken in after ${(caughtUp ?? seconds).toFixed(0)} s, all after ` +
        `${seconds.toFixed(0)} s: ${Math.round(tickets / seconds).toLocaleString('en')}/s, start of the process included`,
    );
    const memory = [0.2, 0.4, 0.6, 0.8, 1].map((share) =>
      highest(samples, (share - 0.2) * tickets, share * tickets),
    );
    console.log(`  resident memory, highest in each fifth: ${memory.map(megabytes).join(', ')}`);
  });
}

async function fillBacklog(tickets: number, { log, codec }: Platform): Promise<void> {
  const maker = createTicketMaker('backlog', TIME_ZONE);
  for (let at = 0; at < tickets; at += CHUNK) {
    const records = Array.from({ length: Math.min(CHUNK, tickets - at) }, (_, i) => {
      const endMs = FROM_MS + Math.floor(((at + i) / TICKETS_PER_HOUR) * 3_600_000);
      const message = maker.next(endMs);
      const value = codec.encode(TOPICS.transactions, message);
      return { key: Buffer.from(message.store_id), value, timestampMs: endMs + 1_000 };
    });
    await log.append(TOPICS.transactions, records);
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

function highest(
  samples: readonly { readonly tickets: number; readonly bytes: number }[],
  after: number,
  upTo: number,
): number {
  return Math.max(
    ...samples.filter(({ tickets }) => tickets > after && tickets <= upTo).map(({ bytes }) => bytes),
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}
