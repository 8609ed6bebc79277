/** A Confluent schema registry (or one that speaks its API) in the place of the embedded one. */
import assert from 'node:assert/strict';
import type { Clock } from '../../clock.ts';
import type { SchemaRegistryLimits } from '../../config.ts';
import type { SchemaRegistry } from '../avro/registry.ts';
import { loadSubjects } from '../avro/schema-files.ts';
import type { Subject } from '../avro/schema-files.ts';
import { checkAddress } from './address.ts';
import type { RegistryAddress } from './address.ts';
import type { RegistryEvent } from './events.ts';
import { createLookUp } from './look-up.ts';
import { createPublish } from './publish.ts';
import type { PublishMode } from './publish.ts';
import { createRegistryApi } from './registry-api.ts';
import { createSendRequest } from './request.ts';
import { openSchemaCache } from './schema-cache.ts';

export type SchemaRegistryOptions = RegistryAddress & {
  /** Goes in front of every subject's name in the registry. */
  readonly namespace: string;
  readonly mode: PublishMode;
  /** Made if it is missing; several processes may share it. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly limits: SchemaRegistryLimits;
  readonly onEvent: (event: RegistryEvent) => void;
  /** Ends every waiting and every request; what then is asked for is refused with SCHEMA_UNKNOWN. */
  readonly signal?: AbortSignal;
  /** Those of schemas/topics when left out. */
  readonly subjects?: readonly Subject[];
};

/**
 * Opens without asking: the registry is first spoken to by `publish`.
 *
 * `publish` rejects with CONFIG_INVALID for an incompatible or (mode 'check') unregistered schema, an address where no
 * registry is, TLS and rights; it waits for a registry that is down, unless the schema is in the cache. `lookUp` rejects
 * with SCHEMA_UNKNOWN, whatever the cause, when the registry gives no answer. A schema's ids hold for the life of a
 * registry: when it is set up anew, restart every process.
 */
export async function openSchemaRegistry(options: SchemaRegistryOptions): Promise<SchemaRegistry> {
  const { limits, clock, onEvent, signal, mode } = options;
  const address = checkAddress(options);
  const { url } = address;
  const api = createRegistryApi(createSendRequest({ address, limits, signal }));
  const cache = await openSchemaCache({
    dir: options.cacheDir,
    registry: url,
    schemasMax: limits.cachedSchemasMax,
    onEvent,
  });
  const deps = { api, cache, url, mode, clock, limits, signal, onEvent };
  const { lookUp, remember } = createLookUp(deps);
  const publish = createPublish(deps);
  const subjects = new Map(
    (options.subjects ?? (await loadSubjects())).map((subject) => [subject.name, subject]),
  );

  return {
    lookUp,
    async publish(name) {
      const subject = subjects.get(name);
      assert(subject !== undefined, `no schema file for subject ${name}`);
      const entry = await publish(options.namespace + name, subject);
      remember(entry);
      return { ...entry, versions: new Map() };
    },
  };
}
