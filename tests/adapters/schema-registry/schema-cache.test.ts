import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from 'avsc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryEvent } from '../../../src/adapters/schema-registry/events.ts';
import { openSchemaCache } from '../../../src/adapters/schema-registry/schema-cache.ts';
import type { SchemaCache } from '../../../src/adapters/schema-registry/schema-cache.ts';

const SCHEMA = { type: 'record', name: 'A', fields: [{ name: 'a', type: 'int' }] } as Schema;

let dir: string;
let events: RegistryEvent[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-cache-'));
  events = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function open(options: { dir?: string; registry?: string; schemasMax?: number } = {}): Promise<SchemaCache> {
  return openSchemaCache({
    dir,
    registry: 'http://a',
    schemasMax: 100,
    onEvent: (event) => events.push(event),
    ...options,
  });
}

test('what was written is read, by another process too', async () => {
  const cache = await open({ dir: join(dir, 'made/for/it') });
  await cache.writeId({ id: 7, schema: SCHEMA });
  await cache.writeSubject('a b/c-value', { id: 7, schema: SCHEMA });
  const other = await open({ dir: join(dir, 'made/for/it') });
  expect(await other.readId(7)).toEqual({ id: 7, schema: SCHEMA });
  expect(await other.readSubject('a b/c-value')).toEqual({ id: 7, schema: SCHEMA });
  expect(await other.readId(8)).toBeNull();
  expect(await other.readSubject('d')).toBeNull();
  expect(events).toEqual([]);
});

test('what another registry said does not count', async () => {
  await (await open()).writeId({ id: 7, schema: SCHEMA });
  expect(await (await open({ registry: 'http://b' })).readId(7)).toBeNull();
  expect(events).toEqual([]);
});

test.each<[string, (text: string) => string]>([
  ['nothing', () => ''],
  ['half of it', (text) => text.slice(0, text.length / 2)],
  ['a letter changed', (text) => text.replace('\\"name\\":\\"a\\"', '\\"name\\":\\"b\\"')],
  ['another id', (text) => text.replace('"id":7', '"id":8')],
  ['null', () => 'null'],
  ['something else', () => '{"some":"thing"}'],
])('a file that holds %s is ignored and said', async (_, spoil) => {
  const cache = await open();
  await cache.writeId({ id: 7, schema: SCHEMA });
  const file = join(dir, 'id-7.json');
  const text = await readFile(file, 'utf8');
  expect(spoil(text)).not.toBe(text);
  await writeFile(file, spoil(text));
  expect(await cache.readId(7)).toBeNull();
  expect(events).toEqual([{ kind: 'cache_damaged', file, why: expect.any(String) as string }]);
});

test('many processes write at once: every file is whole and no other is left', async () => {
  const caches = await Promise.all(Array.from({ length: 8 }, () => open()));
  await Promise.all(
    caches.flatMap((cache) =>
      Array.from({ length: 20 }, (_, id) => cache.writeId({ id: id + 1, schema: SCHEMA })),
    ),
  );
  for (let id = 1; id <= 20; id += 1) expect(await caches[0]?.readId(id)).toEqual({ id, schema: SCHEMA });
  expect(await readdir(dir)).toHaveLength(20);
  expect(events).toEqual([]);
});

test('it is bounded: the oldest ids go, and what a dead process left; subjects stay', async () => {
  const cache = await open({ schemasMax: 3 });
  await cache.writeSubject('s', { id: 1, schema: SCHEMA });
  await writeFile(join(dir, 'new-left-by-a-dead-process'), '{');
  await utimes(join(dir, 'new-left-by-a-dead-process'), 1, 1);
  for (let id = 1; id <= 5; id += 1) {
    await cache.writeId({ id, schema: SCHEMA });
    await utimes(join(dir, `id-${id}.json`), 1_000 + id, 1_000 + id);
  }
  expect((await readdir(dir)).toSorted()).toEqual(['id-3.json', 'id-4.json', 'id-5.json', 'subject-s.json']);
});

test('a directory that cannot be written is said, and nothing fails', async () => {
  await writeFile(join(dir, 'file'), '');
  const cache = await open({ dir: join(dir, 'file/in/it') });
  await cache.writeId({ id: 7, schema: SCHEMA });
  expect(await cache.readId(7)).toBeNull();
  expect(events.filter(({ kind }) => kind === 'cache_unwritable')).toHaveLength(2);
});

test('cleared, it is empty', async () => {
  const cache = await open();
  await cache.writeId({ id: 7, schema: SCHEMA });
  await cache.writeSubject('s', { id: 7, schema: SCHEMA });
  await writeFile(join(dir, 'not-ours'), '');
  await cache.clear();
  expect(await readdir(dir)).toEqual(['not-ours']);
});
