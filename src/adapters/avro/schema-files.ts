import { readdir, readFile } from 'node:fs/promises';
import type { Schema } from 'avsc';

/** A subject (`<topic>-value`) with its current schema and every version ever published, the oldest first. */
export type Subject = {
  readonly name: string;
  readonly current: Schema;
  readonly history: readonly Schema[];
};

const SCHEMAS_DIRECTORY = new URL('../../../schemas/topics/', import.meta.url);
const SUFFIX = '.avsc';

/** The subjects of schemas/topics, with their versions from schemas/topics/history/<subject>/<n>.avsc. */
export async function loadSubjects(directory: URL = SCHEMAS_DIRECTORY): Promise<Subject[]> {
  const names = await schemaNames(directory);
  return Promise.all(
    names.toSorted().map(async (name) => ({
      name,
      current: await readSchema(new URL(name + SUFFIX, directory)),
      history: await readHistory(new URL(`history/${name}/`, directory)),
    })),
  );
}

async function readHistory(directory: URL): Promise<Schema[]> {
  const versions = (await schemaNames(directory)).map(Number).toSorted((a, b) => a - b);
  return Promise.all(versions.map((version) => readSchema(new URL(version + SUFFIX, directory))));
}

async function schemaNames(directory: URL): Promise<string[]> {
  const files = await readdir(directory);
  return files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
}

async function readSchema(file: URL): Promise<Schema> {
  return JSON.parse(await readFile(file, 'utf8')) as Schema;
}
