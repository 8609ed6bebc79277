/** A registry client on the real registry, under a name of its own, with what it tells kept. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from 'avsc';
import type { SchemaRegistry } from '../../src/adapters/avro/registry.ts';
import { loadSubjects } from '../../src/adapters/avro/schema-files.ts';
import type { Subject } from '../../src/adapters/avro/schema-files.ts';
import type { RegistryEvent } from '../../src/adapters/schema-registry/events.ts';
import { openSchemaRegistry } from '../../src/adapters/schema-registry/schema-registry.ts';
import type { SchemaRegistryOptions } from '../../src/adapters/schema-registry/schema-registry.ts';
import { systemClock } from '../../src/clock.ts';
import type { SchemaRegistryLimits } from '../../src/config.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { stackAddresses } from './stack.ts';

export const TRANSACTIONS = `${TOPICS.transactions}-value`;

export type OpenRegistry = SchemaRegistry & { readonly events: RegistryEvent[] };
type Overrides = Partial<Omit<SchemaRegistryOptions, 'limits'>> & {
  readonly limits?: Partial<SchemaRegistryLimits>;
};

/** Mode 'register'; pauses short. */
export async function openRegistry(cacheDir: string, overrides: Overrides = {}): Promise<OpenRegistry> {
  const events: RegistryEvent[] = [];
  const registry = await openSchemaRegistry({
    url: stackAddresses().registryUrl,
    namespace: '',
    mode: 'register',
    cacheDir,
    clock: systemClock,
    onEvent: (event) => events.push(event),
    ...overrides,
    limits: { ...DEFAULT_CONFIG.schemaRegistry, retryDelayMs: 5, retryDelayMsMax: 50, ...overrides.limits },
  });
  return { ...registry, events };
}

export function newNamespace(): string {
  return `t${randomUUID().slice(0, 8)}.`;
}

/** Removed by `remove`. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'foretill-registry-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Our subjects, with the versions of `name` replaced; the last of them is the current one. */
export async function subjectsWith(name: string, versions: readonly object[]): Promise<Subject[]> {
  const history = versions as readonly Schema[];
  const current = history.at(-1) as Schema;
  return (await loadSubjects()).map((subject) =>
    subject.name === name ? { name, current, history } : subject,
  );
}

/** What the registry itself says. Null: status 404. */
export async function askRegistry(path: string): Promise<unknown> {
  const response = await fetch(stackAddresses().registryUrl + path);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return response.json();
}

/** Registers `schema` as somebody else would. Returns its id. */
export async function registerForeign(
  subject: string,
  schema: object,
  schemaType: 'AVRO' | 'JSON' = 'AVRO',
): Promise<number> {
  const url = `${stackAddresses().registryUrl}/subjects/${subject}/versions`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schemaType, schema: JSON.stringify(schema) }),
  });
  const answer = (await response.json()) as { id?: number };
  if (answer.id === undefined) throw new Error(`${subject}: ${JSON.stringify(answer)}`);
  return answer.id;
}
