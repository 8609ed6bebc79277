import assert from 'node:assert/strict';
import type { Schema } from 'avsc';
import { avroType } from './avro-type.ts';
import { loadSubjects } from './schema-files.ts';
import type { Subject } from './schema-files.ts';

type PublishedSchema = {
  /** Goes in front of every message written with `schema`. */
  readonly id: number;
  readonly schema: Schema;
  /** Versions by id that are known at once: what they wrote is read without asking. */
  readonly versions: ReadonlyMap<number, Schema>;
};

/**
 * Where schemas are known by number. The embedded one below keeps no state; one that asks a Confluent registry takes
 * its place without the codec noticing.
 */
export type SchemaRegistry = {
  /** Makes a subject's current schema known. */
  publish(subject: string): Promise<PublishedSchema>;
  /** The schema of an id, or null where there is none. Rejects with SCHEMA_UNKNOWN when it cannot be asked. */
  lookUp(id: number): Promise<Schema | null>;
};

/**
 * The registry of one process: the id of a schema is taken from the schema itself, so every version ever published
 * (schemas/topics/history) can be decoded, after any restart, with nothing kept.
 */
export async function createEmbeddedRegistry(): Promise<SchemaRegistry> {
  const subjects = new Map((await loadSubjects()).map((subject) => [subject.name, subject]));
  const all = indexById([...subjects.values()].flatMap(versionsOf));
  return {
    publish(name) {
      const subject = subjects.get(name);
      assert(subject !== undefined, `no schema file for subject ${name}`);
      const id = schemaId(subject.current);
      return Promise.resolve({ id, schema: subject.current, versions: indexById(versionsOf(subject)) });
    },
    lookUp: (id) => Promise.resolve(all.get(id) ?? null),
  };
}

/**
 * A positive int32 from the SHA-256 of the schema's canonical form: names, types and their order, which is all that
 * the bytes of a message depend on. Versions that differ in comments or defaults share their id.
 */
export function schemaId(schema: Schema): number {
  const digest = avroType(schema).fingerprint('sha256');
  return digest.readUInt32BE(0) & 0x7fff_ffff || 1;
}

function versionsOf({ history, current }: Subject): Schema[] {
  return [...history, current];
}

function indexById(schemas: readonly Schema[]): Map<number, Schema> {
  const byId = new Map<number, Schema>();
  for (const schema of schemas) {
    const id = schemaId(schema);
    const other = byId.get(id);
    assert(other === undefined || avroType(other).equals(avroType(schema)), `two schemas share the id ${id}`);
    byId.set(id, schema);
  }
  return byId;
}
