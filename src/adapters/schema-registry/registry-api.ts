/** What we ask of a registry, in the Confluent API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html */
import type { Schema } from 'avsc';
import { noRegistry, RegistryFailure } from './failure.ts';
import type { Answer, SendRequest } from './request.ts';

/** `unreadable`: the id exists, but stands for no Avro schema that is whole in itself. */
type FoundSchema = { readonly schema: Schema } | { readonly unreadable: string };

/** Each rejects with RegistryFailure when there is no answer, or none that makes sense. */
export type RegistryApi = {
  /** Null: no schema has this id. */
  schemaOf(id: number): Promise<FoundSchema | null>;
  /** The id that `schema` has as a version of `subject`, whichever; null: it is none. */
  idOf(subject: string, schema: Schema): Promise<number | null>;
  /** A schema that is a version already keeps its id. */
  register(subject: string, schema: Schema): Promise<{ readonly id: number } | { readonly refused: string }>;
  /** The subject's own level, e.g. BACKWARD; null when it has none. */
  compatibilityOf(subject: string): Promise<string | null>;
  setCompatibility(subject: string, level: string): Promise<void>;
};

/** 40401 subject, 40402 version, 40403 schema, 40408 the subject's compatibility: not found. */
const NOT_FOUND: ReadonlySet<number> = new Set([40401, 40402, 40403, 40408]);
/** 409 incompatible (Apicurio and Confluent alike), 42201 not valid, 42202 version not valid. */
const REFUSED: ReadonlySet<number> = new Set([409, 40901, 422, 42201, 42202]);

export function createRegistryApi(send: SendRequest): RegistryApi {
  return {
    async schemaOf(id) {
      const answer = await send('GET', `/schemas/ids/${id}`);
      return isNotFound(answer) ? null : readSchema(id, done(answer));
    },
    async idOf(subject, schema) {
      // Normalised, the order of attributes and white space do not count: others may have registered our files.
      const answer = await send('POST', `/subjects/${encodeURIComponent(subject)}?normalize=true`, {
        schema: JSON.stringify(schema),
      });
      return isNotFound(answer) ? null : readId(done(answer));
    },
    async register(subject, schema) {
      const answer = await send('POST', `/subjects/${encodeURIComponent(subject)}/versions`, {
        schema: JSON.stringify(schema),
      });
      if (answer.errorCode !== null && REFUSED.has(answer.errorCode)) return { refused: answer.message };
      return { id: readId(done(answer)) };
    },
    async compatibilityOf(subject) {
      const answer = await send('GET', `/config/${encodeURIComponent(subject)}`);
      if (isNotFound(answer)) return null;
      const level = done(answer)['compatibilityLevel'];
      if (typeof level !== 'string') throw noRegistry('answered without a compatibility level');
      return level.toUpperCase();
    },
    async setCompatibility(subject, level) {
      done(await send('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: level }));
    },
  };
}

function isNotFound({ errorCode }: Answer): boolean {
  return errorCode !== null && NOT_FOUND.has(errorCode);
}

/** A conflict passes: another process wrote the same at the same time (Apicurio: "already exists"). */
function done({ status, errorCode, message, body }: Answer): Answer['body'] {
  if (errorCode === null) return body;
  throw new RegistryFailure(`refused what we asked (status ${status}, error ${errorCode}): ${message}`, {
    lasting: status !== 409,
  });
}

/** The wire format has an int32 for it. */
function readId(body: Answer['body']): number {
  const { id } = body;
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > 0x7fff_ffff)
    throw noRegistry('answered without the id of a schema');
  return id;
}

function readSchema(id: number, body: Answer['body']): FoundSchema {
  const { schema, schemaType = 'AVRO', references } = body;
  if (typeof schema !== 'string') throw noRegistry('answered without a schema');
  if (schemaType !== 'AVRO') return { unreadable: `schema ${id} is of type ${String(schemaType)}, not Avro` };
  if (Array.isArray(references) && references.length > 0)
    return { unreadable: `schema ${id} refers to other schemas, which is not supported` };
  try {
    return { schema: JSON.parse(schema) as Schema };
  } catch {
    // The short form of a primitive: a bare name.
    return { schema: schema as unknown as Schema };
  }
}
