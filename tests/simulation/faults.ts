/**
 * A process that dies at a chosen effect: the log and the store as a role sees them, which count what is done to the
 * outside and, at the n-th effect, either do it or not and then are dead: nothing reaches the outside any more.
 */
import type { Store } from '../../src/adapters/clickhouse/client.ts';
import type { Log } from '../../src/pipeline/log.ts';

export class Died extends Error {}

export type Mortal = {
  readonly log: Log;
  readonly store: Store;
  dead(): boolean;
  /** Dies of this; of nothing that matters when it is undefined. */
  kill(cause?: unknown): void;
  /** What it died of, when that was not its fate. */
  cause(): unknown;
};

export function mortal(
  outside: { readonly log: Log; readonly store: Store },
  fate: { readonly diesAtEffect: number; readonly afterDoingIt: boolean },
): Mortal {
  let effects = 0;
  let dead = false;
  let cause: unknown;

  function die(of: unknown): void {
    if (!dead && !(of instanceof Died)) cause = of;
    dead = true;
  }

  function effect<A extends unknown[], R>(does: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (dead) throw new Died('dead');
      effects += 1;
      if (effects !== fate.diesAtEffect) return does(...args);
      if (fate.afterDoingIt) await does(...args);
      dead = true;
      throw new Died(`died at effect ${effects}`);
    };
  }

  const { log, store } = outside;
  return {
    log: {
      ...log,
      append: effect((topic, records) => log.append(topic, records)),
      async join(options, handler) {
        const consumer = await log.join(options, {
          onCrash: () => {},
          eachBatch: async (batch) => {
            if (dead) throw new Died('dead');
            await handler.eachBatch(batch).catch((error: unknown) => {
              die(error);
              throw error;
            });
          },
          onAssigned: async (partitions) => handler.onAssigned?.(partitions),
          onRevoked: async (partitions) => {
            if (!dead) await handler.onRevoked?.(partitions);
          },
        });
        return {
          holds: (partition) => consumer.holds(partition),
          position: (partition) => consumer.position(partition),
          commit: effect((offsets) => consumer.commit(offsets)),
          pause: (partitions) => consumer.pause(partitions),
          resume: (partitions) => consumer.resume(partitions),
          trouble: () => consumer.trouble(),
          seek: (position) => consumer.seek(position),
          stop: () => consumer.stop(),
        };
      },
    },
    store: {
      ...store,
      insert: effect((table, rows, token) => store.insert(table, rows, token)),
      command: effect((sql, params, token) => store.command(sql, params, token)),
    },
    dead: () => dead,
    kill: die,
    cause: () => cause,
  };
}
