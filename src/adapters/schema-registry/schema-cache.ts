/**
 * Schemas on disk, so that a restart needs no registry: a file per id and one per subject that we write. Several
 * processes may share the directory: a file appears whole or not at all, and all would write the same into it. It is
 * an aid only: what cannot be read or written is said, and the registry is asked instead.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Schema } from 'avsc';
import type { RegistryEvent } from './events.ts';

export type CachedSchema = { readonly id: number; readonly schema: Schema };

export type SchemaCache = {
  readId(id: number): Promise<CachedSchema | null>;
  readSubject(subject: string): Promise<CachedSchema | null>;
  writeId(entry: CachedSchema): Promise<void>;
  writeSubject(subject: string, entry: CachedSchema): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
};

type Entry = { registry: string; id: number; schema: string; sha256: string };

const SUFFIX = '.json';
/** Files being written; one that a dead process left goes with the oldest ids. */
const UNFINISHED = 'new-';
const BY_ID = 'id-';

export async function openSchemaCache(options: {
  readonly dir: string;
  /** Its URL: what another registry said does not count. */
  readonly registry: string;
  /** Files by id; beyond it the oldest are removed. */
  readonly schemasMax: number;
  readonly onEvent: (event: RegistryEvent) => void;
}): Promise<SchemaCache> {
  const { dir, registry, schemasMax, onEvent } = options;
  await attempt(dir, () => mkdir(dir, { recursive: true }));

  async function attempt(file: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      onEvent({ kind: 'cache_unwritable', file, error });
    }
  }

  async function read(name: string): Promise<CachedSchema | null> {
    const file = join(dir, name);
    try {
      const entry = parseEntry(await readFile(file, 'utf8'));
      return entry.registry === registry
        ? { id: entry.id, schema: JSON.parse(entry.schema) as Schema }
        : null;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') onEvent({ kind: 'cache_damaged', file, why: message });
      return null;
    }
  }

  function write(name: string, { id, schema }: CachedSchema): Promise<void> {
    const file = join(dir, name);
    return attempt(file, async () => {
      const unfinished = join(dir, `${UNFINISHED}${randomUUID()}`);
      const entry = sealed({ registry, id, schema: JSON.stringify(schema) });
      await writeFile(unfinished, JSON.stringify(entry), { flush: true });
      await rename(unfinished, file);
      await removeOldest(dir, schemasMax);
    });
  }

  return {
    async readId(id) {
      const entry = await read(`${BY_ID}${id}${SUFFIX}`);
      return entry?.id === id ? entry : null;
    },
    readSubject: (subject) => read(subjectFile(subject)),
    writeId: (entry) => write(`${BY_ID}${entry.id}${SUFFIX}`, entry),
    writeSubject: (subject, entry) => write(subjectFile(subject), entry),
    clear: () =>
      attempt(dir, async () => {
        for (const name of await readdir(dir)) {
          if (name.endsWith(SUFFIX)) await rm(join(dir, name), { force: true });
        }
      }),
  };
}

function subjectFile(subject: string): string {
  return `subject-${encodeURIComponent(subject)}${SUFFIX}`;
}

function sealed(content: Omit<Entry, 'sha256'>): Entry {
  const { registry, id, schema } = content;
  const sha256 = createHash('sha256')
    .update(JSON.stringify([registry, id, schema]))
    .digest('hex');
  return { ...content, sha256 };
}

/** Throws for what is not exactly as it was written. */
function parseEntry(text: string): Entry {
  const { registry, id, schema, sha256 } = JSON.parse(text) as Partial<Entry>;
  if (typeof registry !== 'string' || typeof id !== 'number' || typeof schema !== 'string')
    throw new Error('it is no cached schema');
  const entry = sealed({ registry, id, schema });
  if (entry.sha256 !== sha256) throw new Error('its check sum is wrong');
  return entry;
}

async function removeOldest(dir: string, filesMax: number): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.startsWith(BY_ID) || name.startsWith(UNFINISHED));
  if (names.length <= filesMax) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, writtenMs: await writtenMs(join(dir, name)) })),
  );
  files.sort((a, b) => a.writtenMs - b.writtenMs);
  for (const { name } of files.slice(0, names.length - filesMax)) await rm(join(dir, name), { force: true });
}

/** 0 for a file that another process has just removed. */
async function writtenMs(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    return 0;
  }
}
