/** Making the schema of a subject known to the registry, or seeing that it is. */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { SchemaRegistryLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { Subject } from '../avro/schema-files.ts';
import { avroType } from '../avro/avro-type.ts';
import { pauseMs } from '../pause.ts';
import type { RegistryEvent } from './events.ts';
import { failureError, RegistryFailure } from './failure.ts';
import type { RegistryApi } from './registry-api.ts';
import type { CachedSchema, SchemaCache } from './schema-cache.ts';

/** 'check': nothing is written to the registry, all must be there. */
export type PublishMode = 'register' | 'check';

type PublishDeps = {
  readonly api: RegistryApi;
  readonly cache: SchemaCache;
  readonly url: string;
  readonly mode: PublishMode;
  readonly clock: Clock;
  readonly limits: SchemaRegistryLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: RegistryEvent) => void;
};

type Agreed = { readonly id: number; readonly registered: number };

const COMPATIBILITY = 'BACKWARD';
/** Levels that demand BACKWARD and more: whoever set them is not overruled. */
const STRICT_ENOUGH: ReadonlySet<string> = new Set([
  COMPATIBILITY,
  'BACKWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
]);

/**
 * Returns a function that gives the id of a subject's current schema. `wireName` is the subject's name in the registry.
 *
 * A registry that cannot be asked now is replaced by the cache where the cache has this very schema, and else waited
 * for until `signal` aborts (then SCHEMA_UNKNOWN). Errors: CONFIG_INVALID for what only people can put right.
 */
export function createPublish(
  deps: PublishDeps,
): (wireName: string, subject: Subject) => Promise<CachedSchema> {
  const { cache, url, clock, limits, onEvent } = deps;
  /** Then nobody waits for it again while the cache will do. */
  let isDown = false;

  async function askOrWait(
    wireName: string,
    subject: Subject,
    cached: CachedSchema | null,
  ): Promise<Agreed | null> {
    const startMs = clock.nowMs();
    let saidMs = -Infinity;
    let failure: ForetillError | null = null;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const agreed = await agree(deps, wireName, subject);
        isDown = false;
        return agreed;
      } catch (error) {
        if (!(error instanceof RegistryFailure)) throw error;
        // What it waited for says more than that it was stopped.
        if (deps.signal?.aborted === true) throw failure ?? failureError('SCHEMA_UNKNOWN', url, error);
        if (error.lasting) throw failureError('CONFIG_INVALID', url, error);
        isDown = true;
        if (cached !== null) return null;
        const nowMs = clock.nowMs();
        failure = failureError('SCHEMA_UNKNOWN', url, error);
        if (nowMs - saidMs >= limits.waitSaidEveryMs) {
          saidMs = nowMs;
          onEvent({ kind: 'waiting', subject: wireName, waitedMs: nowMs - startMs, error: failure });
        }
        await pause(attempt, failure);
      }
    }
  }

  async function pause(attempt: number, failure: ForetillError): Promise<void> {
    try {
      await delay(pauseMs(attempt, limits), undefined, { signal: deps.signal });
    } catch {
      throw failure;
    }
  }

  return async (wireName, subject) => {
    const before = await cache.readSubject(wireName);
    const cached = before !== null && isDeepStrictEqual(before.schema, subject.current) ? before : null;
    const agreed = isDown && cached !== null ? null : await askOrWait(wireName, subject, cached);
    if (agreed === null) {
      const { id } = cached as CachedSchema;
      onEvent({ kind: 'published', subject: wireName, id, from: 'cache', registered: 0 });
      return { id, schema: subject.current };
    }
    const { id, registered } = agreed;
    const entry = { id, schema: subject.current };
    if (await isContradicted(cache, cached, entry)) {
      await cache.clear();
      onEvent({ kind: 'cache_cleared', subject: wireName, id });
    }
    await cache.writeId(entry);
    await cache.writeSubject(wireName, entry);
    onEvent({ kind: 'published', subject: wireName, id, from: 'registry', registered });
    return entry;
  };
}

/**
 * One pass: it may be repeated after any failure, and run in several processes at once.
 *
 * What is missing is registered with all that came before it, the oldest first. Not for the sake of old messages:
 * they carry the ids that the registry of their time gave, and one that was set up anew gives others. But so that an
 * older release, which may run beside this one or come back after it, finds its own schema there too, and so that
 * the registry's versions are those of schemas/topics/history.
 */
async function agree({ api, mode }: PublishDeps, wireName: string, subject: Subject): Promise<Agreed> {
  if (mode === 'register') await demandBackward(api, wireName);
  const there = await api.idOf(wireName, subject.current);
  if (there !== null) return { id: there, registered: 0 };
  if (mode === 'check') throw notThere(wireName);
  let agreed: Agreed = { id: 0, registered: 0 };
  const line = isDeepStrictEqual(subject.history.at(-1), subject.current)
    ? subject.history
    : [...subject.history, subject.current];
  for (const [index, schema] of line.entries()) {
    const known = await api.idOf(wireName, schema);
    const id = known ?? (await register(api, { wireName, schema, version: index + 1 }));
    agreed = { id, registered: agreed.registered + (known === null ? 1 : 0) };
  }
  return agreed;
}

async function demandBackward(api: RegistryApi, wireName: string): Promise<void> {
  const level = await api.compatibilityOf(wireName);
  if (level === null || !STRICT_ENOUGH.has(level)) await api.setCompatibility(wireName, COMPATIBILITY);
}

async function register(
  api: RegistryApi,
  what: { readonly wireName: string; readonly schema: Subject['current']; readonly version: number },
): Promise<number> {
  const { wireName, schema, version } = what;
  const answer = await api.register(wireName, schema);
  if ('id' in answer) return answer.id;
  // Another process may have been there first, and even gone further.
  const id = await api.idOf(wireName, schema);
  if (id === null) throw refusedBy(answer.refused, wireName, version);
  return id;
}

/** The registry gives an id once and for ever. One that was lost and set up anew begins again at 1. */
async function isContradicted(
  cache: SchemaCache,
  cached: CachedSchema | null,
  agreed: CachedSchema,
): Promise<boolean> {
  if (cached !== null && cached.id !== agreed.id) return true;
  const sameId = await cache.readId(agreed.id);
  return sameId !== null && !avroType(sameId.schema).equals(avroType(agreed.schema));
}

function notThere(wireName: string): ForetillError {
  return new ForetillError(
    'CONFIG_INVALID',
    `The schema registry has no version of subject ${wireName} that is this release's schema.`,
    { remedy: 'Start once with --register, or let whoever keeps the registry register it.' },
  );
}

function refusedBy(words: string, wireName: string, version: number): ForetillError {
  return new ForetillError(
    'CONFIG_INVALID',
    `The schema registry refuses version ${version} of subject ${wireName}, which cannot read what its latest version there wrote: ${words || 'it gives no reason'}.`,
    {
      remedy: `Compare schemas/topics/history/${wireName} with the subject's versions: either a newer release has registered there, then run that, or someone else uses this name, then choose another --namespace.`,
    },
  );
}
