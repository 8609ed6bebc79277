import { expect, test } from 'vitest';
import { networkFailure, noRegistry, statusFailure } from '../../../src/adapters/schema-registry/failure.ts';

test.each([
  ['nobody listens', networkFailure({ cause: { code: 'ECONNREFUSED', name: 'Error', message: '' } }, 1)],
  [
    'another host’s certificate',
    networkFailure({ cause: { code: 'ERR_TLS_CERT', name: 'Error', message: '' } }, 1),
  ],
  ['no HTTP', networkFailure({ cause: { name: 'HTTPParserError', message: '' } }, 1)],
  ['a redirect', statusFailure(301, '')],
  ['something else', noRegistry('answered with status 200')],
])('who names a wrong address learns where it is named: %s', (_name, failure) => {
  expect(failure?.remedy).toContain('SCHEMA_REGISTRY_URL (or --schema-registry-url)');
});
