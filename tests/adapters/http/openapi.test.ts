import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { testApi } from './test-api.ts';

const CONTRACT = new URL('../../../schemas/http/openapi.json', import.meta.url);

type Json = { readonly [key: string]: unknown };

/** Every object of the document that has this key, with where it stands. */
function* having(key: string, value: unknown, path = ''): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (key in value) yield [path, value as Json];
  for (const [name, part] of Object.entries(value)) yield* having(key, part, `${path}/${name}`);
}

async function openApi(): Promise<Json> {
  const api = await testApi({ demo: true });
  const document = (await api.app.inject({ method: 'GET', url: '/api/v1/openapi.json' })).json<Json>();
  await api.close();
  return document;
}

test('the OpenAPI document is the contract in schemas/http (FORETILL_WRITE_CONTRACT=1 writes it anew)', async () => {
  const document = await openApi();
  const current = `${JSON.stringify(document, null, 2)}\n`;
  if (process.env['FORETILL_WRITE_CONTRACT'] === '1') await writeFile(CONTRACT, current);
  expect(JSON.parse(await readFile(CONTRACT, 'utf8'))).toEqual(document);
});

test('the OpenAPI document describes every route of the API, completely', async () => {
  const document = await openApi();
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Foretill' } });
  expect(Object.keys(document['paths'] as Json).sort()).toEqual([
    '/api/v1/accuracy',
    '/api/v1/alerts',
    '/api/v1/demo',
    '/api/v1/demo/events',
    '/api/v1/demo/events/{id}',
    '/api/v1/demo/speed',
    '/api/v1/forecasts',
    '/api/v1/health',
    '/api/v1/ready',
    '/api/v1/series',
    '/api/v1/series/{id}/forecast',
    '/api/v1/series/{id}/history',
    '/api/v1/status',
    '/api/v1/transactions',
  ]);

  const operations = [...having('operationId', document['paths'])].map(([, operation]) => operation);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const operation of operations) {
    expect(operation).toMatchObject({ summary: expect.any(String), tags: [expect.any(String)] });
    expect(Object.keys(operation['responses'] as Json).some((status) => status.startsWith('2'))).toBe(true);
  }
  // A path's parameters are described, and described parameters are in the path.
  for (const [path, item] of Object.entries(document['paths'] as Record<string, Json>)) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const [, operation] of having('operationId', item)) {
      const parameters = (operation['parameters'] ?? []) as Json[];
      expect(parameters.filter((parameter) => parameter['in'] === 'path').map(({ name }) => name)).toEqual(
        named,
      );
    }
  }
  // Problems are documented as problems, and nothing points at what is not there.
  for (const [path, responses] of having('400', document['paths']))
    expect(
      Object.keys(((responses as Record<string, Json>)['400']?.['content'] ?? {}) as Json),
      path,
    ).toEqual(['application/problem+json']);
  for (const [path, { $ref }] of having('$ref', document)) expect($ref, path).toMatch(/^#\/components\//);
});
