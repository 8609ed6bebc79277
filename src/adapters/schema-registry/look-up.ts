/** Ids to schemas: from memory, from the cache on disk, from the registry. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Schema } from 'avsc';
import type { Clock } from '../../clock.ts';
import type { SchemaRegistryLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import { limitInFlight } from '../in-flight.ts';
import { pauseMs } from '../pause.ts';
import type { RegistryEvent } from './events.ts';
import { failureError } from './failure.ts';
import type { RegistryFailure } from './failure.ts';
import type { RegistryApi } from './registry-api.ts';
import type { CachedSchema, SchemaCache } from './schema-cache.ts';
import { createUnknownIds } from './unknown-ids.ts';

type LookUpDeps = {
  readonly api: RegistryApi;
  readonly cache: SchemaCache;
  readonly url: string;
  readonly clock: Clock;
  readonly limits: SchemaRegistryLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: RegistryEvent) => void;
};

export type LookUp = {
  /** See `SchemaRegistry.lookUp`. */
  lookUp(id: number): Promise<Schema | null>;
  /** What is known without asking. */
  remember(entry: CachedSchema): void;
};

/**
 * Callers that wait for the same id share one request. An id that the registry does not know is not asked for again
 * within `unknownIdMs`; when too many of them are remembered nothing new is asked for, so that no flood of invented ids
 * breaks this promise: the caller is refused and comes again. After a look-up that failed in all its attempts others
 * are refused for a moment without asking, so that a queue of them does not wait for a dead registry one by one.
 */
export function createLookUp(deps: LookUpDeps): LookUp {
  const { api, cache, url, clock, limits, onEvent } = deps;
  const known = new Map<number, Schema>();
  const inWork = new Map<number, Promise<Schema | null>>();
  const unknown = createUnknownIds({ clock, rememberedMs: limits.unknownIdMs, idsMax: limits.unknownIdsMax });
  const turns = {
    max: limits.inFlightMax,
    waitingMax: limits.waitingMax,
    onFull: () =>
      refused(`${limits.waitingMax} look-ups are already waiting for the schema registry at ${url}`),
  };
  // What the disk has does not stand behind what a slow registry is asked for.
  const readInTurn = limitInFlight(turns);
  const askInTurn = limitInFlight(turns);
  let lastFailure: { readonly atMs: number; readonly error: ForetillError } | null = null;

  function remember({ id, schema }: CachedSchema): void {
    known.delete(id);
    known.set(id, schema);
    if (known.size > limits.cachedSchemasMax) known.delete(known.keys().next().value as number);
  }

  async function find(id: number): Promise<Schema | null> {
    const cached = await readInTurn(() => cache.readId(id));
    if (cached !== null) {
      remember(cached);
      return cached.schema;
    }
    return askInTurn(() => ask(id));
  }

  async function ask(id: number): Promise<Schema | null> {
    refuseWhereUseless();
    const startMs = clock.nowMs();
    const told = (outcome: 'found' | 'unknown' | 'unreadable' | 'failed', why?: string): void =>
      onEvent({
        kind: 'looked_up',
        id,
        outcome,
        seconds: (clock.nowMs() - startMs) / 1_000,
        ...(why === undefined ? {} : { why }),
      });
    try {
      const found = await inAttempts(id);
      lastFailure = null;
      if (found === null || 'unreadable' in found) {
        unknown.add(id);
        told(found === null ? 'unknown' : 'unreadable', found?.unreadable);
        return null;
      }
      told('found');
      const entry = { id, schema: found.schema };
      remember(entry);
      await cache.writeId(entry);
      return found.schema;
    } catch (error) {
      const failed = failureError('SCHEMA_UNKNOWN', url, error as RegistryFailure);
      lastFailure = { atMs: clock.nowMs(), error: failed };
      told('failed', failed.message);
      throw failed;
    }
  }

  function refuseWhereUseless(): void {
    if (lastFailure !== null) {
      const sinceMs = clock.nowMs() - lastFailure.atMs;
      if (sinceMs >= 0 && sinceMs < limits.retryDelayMsMax) throw lastFailure.error;
    }
    if (unknown.isFull())
      throw refused(
        `${limits.unknownIdsMax} ids that the schema registry at ${url} does not know came in within ${limits.unknownIdMs / 1_000} s`,
      );
  }

  async function inAttempts(id: number): ReturnType<RegistryApi['schemaOf']> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await api.schemaOf(id);
      } catch (error) {
        const failure = error as RegistryFailure;
        if (failure.lasting || attempt >= limits.attemptsMax) throw failure;
        const delayMs = pauseMs(attempt, limits);
        onEvent({
          kind: 'retried',
          id,
          attempt,
          delayMs,
          error: failureError('SCHEMA_UNKNOWN', url, failure),
        });
        // Stopped meanwhile, the next attempt says so.
        await delay(delayMs, undefined, { signal: deps.signal }).catch(() => undefined);
      }
    }
  }

  return {
    remember,
    async lookUp(id) {
      // Registries count from 1.
      if (id < 1 || unknown.has(id)) return null;
      const schema = known.get(id);
      if (schema !== undefined) return schema;
      const before = inWork.get(id);
      if (before !== undefined) return before;
      const work = find(id).finally(() => inWork.delete(id));
      inWork.set(id, work);
      return work;
    },
  };
}

function refused(what: string): ForetillError {
  return new ForetillError('SCHEMA_UNKNOWN', `${what}.`, {
    remedy: 'Wait, or look at what writes messages with such ids.',
  });
}
