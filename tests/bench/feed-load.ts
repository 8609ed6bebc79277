/**
 * The outside of the feed's latency: tills and one client, in a thread of their own. Tickets are made and encoded at a
 * steady rate and handed over in small batches; each is due at a fixed instant, and its latency counts from there, so
 * that a system (or this thread) that falls behind is not spared. A ticket has arrived when a nowcast of its store's
 * hour counts at least as many units as had been sold when it was sent: a store's tickets stay in order, so it counts.
 */
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { createCodec } from '../../src/adapters/avro/codec.ts';
import { HOUR_MS } from '../../src/sales/durations.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { createTicketMaker } from './tickets.ts';

export type LoadPlan = {
  readonly url: string;
  readonly perSecond: number;
  /** Tickets of this time are sent and not counted. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** For what has not arrived when the last ticket has been sent. */
  readonly graceMs: number;
};

export type LoadBatch = {
  readonly kind: 'tickets';
  readonly keys: readonly string[];
  readonly values: readonly Uint8Array[];
};

/** Milliseconds from due to seen of every counted ticket that arrived, in no order. */
export type LoadResult = {
  readonly kind: 'done';
  readonly latenciesMs: Float64Array;
  readonly missing: number;
  readonly nowcasts: number;
};

/** Sold by a store in an hour, in thousandths, up to and including each ticket; `seen` of them have arrived. */
type Track = { readonly sums: number[]; readonly dueMs: number[]; seen: number };

const SEND_EVERY_MS = 10;

async function main(plan: LoadPlan, port: MessagePort): Promise<void> {
  const codec = await createCodec();
  const maker = createTicketMaker(`load ${Date.now()}`, 'UTC');
  const tracks = new Map<string, Track>();
  const latencies: number[] = [];
  let nowcasts = 0;
  let countFromMs = Number.POSITIVE_INFINITY;

  const client = new WebSocket(`${plan.url.replace('http', 'ws')}/feed`);
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  const filter = { granularity: 'hour', measure: 'units', level: 'store' };
  client.send(JSON.stringify({ type: 'subscribe', id: 'bench', filter }));
  client.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as {
      type: string;
      store?: string;
      bucket?: string;
      sold?: number;
    };
    if (message.type !== 'nowcast') return;
    nowcasts += 1;
    const nowMs = performance.now();
    const track = tracks.get(`${message.store} ${Date.parse(message.bucket!)}`);
    if (track === undefined) return;
    const sold = Math.round(message.sold! * 1_000);
    for (; track.seen < track.sums.length; track.seen += 1) {
      if (track.sums[track.seen]! > sold) break;
      const dueMs = track.dueMs[track.seen]!;
      if (dueMs >= countFromMs) latencies.push(nowMs - dueMs);
    }
  });

  const beginMs = performance.now();
  countFromMs = beginMs + plan.warmUpMs;
  const total = Math.floor((plan.perSecond * (plan.warmUpMs + plan.measuredMs)) / 1_000);
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - beginMs) * plan.perSecond) / 1_000));
      const keys: string[] = [];
      const values: Uint8Array[] = [];
      for (; sent < due; sent += 1) {
        const message = maker.next(Date.now());
        const units = message.lines.reduce((sum, line) => sum + line.quantity_thousandths, 0);
        const name = `${message.store_id} ${Math.floor(message.end_time / HOUR_MS) * HOUR_MS}`;
        const track = tracks.get(name) ?? { sums: [], dueMs: [], seen: 0 };
        tracks.set(name, track);
        track.sums.push((track.sums.at(-1) ?? 0) + units);
        track.dueMs.push(beginMs + (sent * 1_000) / plan.perSecond);
        keys.push(message.store_id);
        values.push(codec.encode(TOPICS.transactions, message));
      }
      if (keys.length > 0) port.postMessage({ kind: 'tickets', keys, values } satisfies LoadBatch);
      if (sent < total) return;
      clearInterval(timer);
      resolve();
    }, SEND_EVERY_MS);
  });

  const missing = (): number =>
    [...tracks.values()].reduce((sum, track) => sum + track.sums.length - track.seen, 0);
  const deadlineMs = performance.now() + plan.graceMs;
  while (missing() > 0 && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 20));
  client.close();
  const latenciesMs = Float64Array.from(latencies);
  port.postMessage({ kind: 'done', latenciesMs, missing: missing(), nowcasts } satisfies LoadResult);
}

await main(workerData as LoadPlan, parentPort!);
