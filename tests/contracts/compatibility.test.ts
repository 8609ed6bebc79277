import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Schema } from 'avsc';
import { describe, expect, test } from 'vitest';
import { loadSubjects } from '../../src/adapters/avro/schema-files.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { backwardProblem, historyProblems, subjectProblems } from './schema-check.ts';

const HISTORY = new URL('../../schemas/topics/history/', import.meta.url);
const subjects = await loadSubjects();

describe('the published schemas', () => {
  test('are those of the topics, and that of dead letters', () => {
    const expected = [...Object.values(TOPICS).map((topic) => `${topic}-value`), 'dead-letter-value'];
    expect(subjects.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
  });

  test.each(subjects)('$name reads every version ever published, and is published itself', (subject) => {
    expect(subject.history.length).toBeGreaterThan(0);
    expect(subjectProblems(subject)).toEqual([]);
  });

  test('have not been changed after publication', async () => {
    const paths = (await readdir(HISTORY, { recursive: true })).filter((path) => path.endsWith('.avsc'));
    const files = await Promise.all(
      paths.map(async (path) => [path, sha256(await readFile(new URL(path, HISTORY)))] as const),
    );
    expect(historyProblems(await readFile(new URL('SHA256SUMS', HISTORY), 'utf8'), new Map(files))).toEqual(
      [],
    );
  });

  test.each(subjects)('$name says of every field what it is', ({ current }) => {
    expect(undocumented(current, '')).toEqual([]);
  });
});

const V1 = record([
  { name: 'store', type: 'string' },
  { name: 'units', type: 'long' },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
  { name: 'note', type: ['null', 'string'], default: null },
]);

describe('the check itself', () => {
  test.each<[string, Schema]>([
    ['nothing', V1],
    [
      'a field with a default added',
      change((fields) => [...fields, { name: 'more', type: 'long', default: 0 }]),
    ],
    [
      'an optional field added',
      change((fields) => [...fields, { name: 'more', type: ['null', 'string'], default: null }]),
    ],
    ['a field removed', change((fields) => fields.filter(({ name }) => name !== 'store'))],
    [
      'a symbol added',
      change(replace('kind', { type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } })),
    ],
    ['a number widened', change(replace('units', { type: 'double' }))],
    ['a field made optional', change(replace('store', { type: ['null', 'string'] }))],
    [
      'a field renamed, with its old name as an alias',
      change(replace('store', { name: 'shop', aliases: ['store'] })),
    ],
  ])('lets pass: %s', (_, next) => {
    expect(backwardProblem(next, V1)).toBeNull();
  });

  test.each<[string, Schema]>([
    ['a field added without a default', change((fields) => [...fields, { name: 'more', type: 'long' }])],
    ['a field renamed', change(replace('store', { name: 'shop' }))],
    ['a type changed', change(replace('units', { type: 'string' }))],
    ['a number narrowed', change(replace('units', { type: 'int' }))],
    ['a symbol removed', change(replace('kind', { type: { type: 'enum', name: 'Kind', symbols: ['A'] } }))],
    ['an optional field made required', change(replace('note', { type: 'string', default: undefined }))],
    ['the record renamed', { ...(V1 as object), name: 'Other' } as Schema],
  ])('refuses: %s', (_, next) => {
    expect(backwardProblem(next, V1)).not.toBeNull();
    expect(subjectProblems({ name: 'x-value', current: next, history: [V1, next] })).toEqual([
      expect.stringContaining('cannot read its version 1'),
    ]);
  });

  test('refuses a default removed that older versions need', () => {
    const v2 = change((fields) => [...fields, { name: 'more', type: 'long', default: 0 }]);
    const v3 = change((fields) => [...fields, { name: 'more', type: 'long' }]);
    expect(subjectProblems({ name: 'x-value', current: v3, history: [V1, v2, v3] })).toEqual([
      expect.stringContaining('cannot read its version 1'),
    ]);
  });

  test('asks for a change to be published', () => {
    const next = change((fields) => [...fields, { name: 'more', type: 'long', default: 0 }]);
    expect(subjectProblems({ name: 'x-value', current: next, history: [V1] })).toEqual([
      expect.stringContaining('copy it to schemas/topics/history/x-value/2.avsc'),
    ]);
  });

  const SUMS = `${'a'.repeat(64)}  x-value/1.avsc\n${'b'.repeat(64)}  x-value/2.avsc\n`;
  test.each<[string, [string, string][], string[]]>([
    [
      'nothing',
      [
        ['x-value/1.avsc', 'a'],
        ['x-value/2.avsc', 'b'],
      ],
      [],
    ],
    [
      'a change',
      [
        ['x-value/1.avsc', 'c'],
        ['x-value/2.avsc', 'b'],
      ],
      ['x-value/1.avsc was changed'],
    ],
    ['a loss', [['x-value/1.avsc', 'a']], ['x-value/2.avsc is gone']],
    [
      'an addition',
      [
        ['x-value/1.avsc', 'a'],
        ['x-value/2.avsc', 'b'],
        ['x-value/3.avsc', 'c'],
      ],
      [`Add the line: ${'c'.repeat(64)}  x-value/3.avsc`],
    ],
    [
      'a gap',
      [
        ['x-value/1.avsc', 'a'],
        ['x-value/2.avsc', 'b'],
        ['y-value/2.avsc', 'c'],
      ],
      ['y-value/2.avsc is not in SHA256SUMS', 'y-value/1.avsc is missing'],
    ],
  ])('finds in the history: %s', (_, files, expected) => {
    const sums = new Map(files.map(([path, letter]) => [path, letter.repeat(64)]));
    expect(historyProblems(SUMS, sums)).toEqual(
      expected.map((text) => expect.stringContaining(text) as string),
    );
  });
});

type Field = { name: string; type: unknown; default?: unknown; aliases?: string[] };

function record(fields: readonly Field[]): Schema {
  return { type: 'record', name: 'Sample', fields } as Schema;
}

function change(how: (fields: readonly Field[]) => readonly Field[]): Schema {
  return record(how((V1 as unknown as { fields: Field[] }).fields));
}

function replace(
  name: string,
  what: Partial<Record<keyof Field, unknown>>,
): (fields: readonly Field[]) => Field[] {
  return (fields) => fields.map((field) => (field.name === name ? ({ ...field, ...what } as Field) : field));
}

/** Paths of records, enums and fields without a comment. */
function undocumented(schema: unknown, path: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap((branch) => undocumented(branch, path));
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, name, doc, fields, items, values } = schema as Record<string, unknown> & { name?: string };
  const here = name === undefined ? path : `${path}/${name}`;
  const missing = name !== undefined && (typeof doc !== 'string' || doc === '') ? [here] : [];
  return [...missing, ...[type, items, values, fields].flatMap((part) => undocumented(part, here))];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
