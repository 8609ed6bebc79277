/**
 * When the tills send what: a pure function of the chain, a stretch of time and what has been brought about. The only
 * state of a running simulation is therefore the instant up to which everything has been sent.
 */
import { HOUR_MS, MINUTE_MS } from '../sales/durations.ts';
import type { TransactionMessage } from '../sales/transaction-message.ts';
import type { Chain, SimulatedStore } from './chain.ts';
import { isTouched } from './injections.ts';
import type { Injection } from './injections.ts';
import { createRandom } from './random.ts';
import { TRANSPORT } from './shape.ts';
import { ticketsOfHour } from './tickets.ts';

export type Delivery = { readonly sendMs: number; readonly message: TransactionMessage };

/** A till that is offline longer than this sends nothing at all: events last at most this long. */
export const INJECTION_MS_MAX = 12 * HOUR_MS;
/** From the start of a ticket's hour to the last that is sent about it, beside a till that was offline. */
const TAIL_MS = 3 * HOUR_MS;

export type Traffic = {
  /** Everything that is sent in (fromMs, untilMs], in order. */
  between(fromMs: number, untilMs: number, injections?: readonly Injection[]): Delivery[];
};

/** Hours already made are kept while what has been brought about stays the same. */
export function createTraffic(chain: Chain): Traffic {
  let made = new Map<string, readonly Delivery[]>();
  let madeFor = '';

  function ofHour(
    store: SimulatedStore,
    hourMs: number,
    injections: readonly Injection[],
  ): readonly Delivery[] {
    const key = `${store.id} ${hourMs}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const deliveries = ticketsOfHour(chain, store, hourMs, injections)
      .flatMap((message) => deliveriesOf(chain, message, injections))
      .sort((one, other) => one.sendMs - other.sendMs);
    made.set(key, deliveries);
    return deliveries;
  }

  return {
    between(fromMs, untilMs, injections = []) {
      const offline = injections.some((injection) => injection.kind === 'offline-till');
      const firstHour = Math.floor((fromMs - TAIL_MS - (offline ? INJECTION_MS_MAX : 0)) / HOUR_MS) * HOUR_MS;
      const state = JSON.stringify(injections);
      if (state !== madeFor) made = new Map();
      madeFor = state;
      const found: Delivery[] = [];
      for (let hourMs = firstHour; hourMs <= untilMs; hourMs += HOUR_MS) {
        for (const store of chain.stores) {
          for (const delivery of ofHour(store, hourMs, injections)) {
            if (delivery.sendMs > untilMs) break;
            if (delivery.sendMs > fromMs) found.push(delivery);
          }
        }
      }
      for (const key of made.keys()) if (Number(key.split(' ')[1]) < firstHour) made.delete(key);
      return found.sort((one, other) => one.sendMs - other.sendMs);
    },
  };
}

/** One message's ways to the log: mostly one, a few seconds after its end. */
function deliveriesOf(
  chain: Chain,
  message: TransactionMessage,
  injections: readonly Injection[],
): Delivery[] {
  const random = createRandom(chain.seed, 'send', message.event_id);
  const late = random.uniform() < TRANSPORT.late ? random.uniform() * TRANSPORT.lateMsMax : 0;
  const correction = message.revision === 0 ? 0 : 10 * MINUTE_MS * (1 + 4 * random.uniform());
  let sendMs = Math.round(
    message.end_time + 500 + random.uniform() * TRANSPORT.delayMsMax + late + correction,
  );
  let copies = random.uniform() < TRANSPORT.duplicated ? 1 : 0;
  for (const injection of injections) {
    if (!isTouched(injection, message.store_id, message.end_time)) continue;
    if (injection.kind === 'duplicates') copies += injection.copies;
    if (injection.kind === 'offline-till' && injection.registerId === message.register_id) {
      sendMs = Math.max(sendMs, injection.untilMs + Math.round(random.uniform() * 30_000));
    }
  }
  const deliveries = [{ sendMs, message }];
  for (let copy = 0; copy < copies; copy += 1) {
    deliveries.push({ sendMs: sendMs + Math.round(random.uniform() * MINUTE_MS), message });
  }
  return deliveries;
}
