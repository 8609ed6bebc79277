import { expect, test } from 'vitest';
import { checkStoreUrl } from '../../../src/adapters/clickhouse/address.ts';
import { ForetillError } from '../../../src/errors.ts';

test.each([
  ['http://127.0.0.1:8123', 'http://127.0.0.1:8123'],
  ['http://127.0.0.1:8123/', 'http://127.0.0.1:8123'],
  ['https://Store.example:443/', 'https://store.example'],
  ['http://[::1]:8123', 'http://[::1]:8123'],
])('%s is an address', (text, plain) => {
  expect(checkStoreUrl(text)).toBe(plain);
});

test.each([
  ['foo', 'has an address that is no web address'],
  ['127.0.0.1:8123', 'has an address that is no web address'],
  ['localhost:8123', 'has an address that is no web address'],
  ['tcp://localhost:9000', 'has an address that is no web address'],
  ['bob:sesame@store:8123', 'has an address that is no web address'],
  ['http://', 'has an address that is no web address'],
  ['http://bob:sesame@store:8123', 'at store:8123 has a user or a password in its address'],
  ['http://bob@store:8123', 'at store:8123 has a user or a password in its address'],
  ['http://:sesame@store:8123', 'at store:8123 has a user or a password in its address'],
  ['http://store:8123/foretill', 'at store:8123 has an address with more than a host and a port'],
  ['http://store:8123/?password=sesame', 'at store:8123 has an address with more than a host and a port'],
  ['http://store:8123/#sesame', 'at store:8123 has an address with more than a host and a port'],
])('%s is refused without a word of what may be a password', (text, what) => {
  const error = refusalOf(text);
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toBe(`The ClickHouse server ${what}.`);
  expect(error.message + error.remedy).not.toContain('sesame');
});

test.each([
  ['foo', '--store-url'],
  ['http://bob:sesame@store:8123', 'FORETILL_STORE_PASSWORD'],
  ['http://store:8123/foretill', '--store-database'],
])('for %s the remedy names %s', (text, option) => {
  expect(refusalOf(text).remedy).toContain(option);
});

function refusalOf(text: string): ForetillError {
  try {
    checkStoreUrl(text);
  } catch (error) {
    if (error instanceof ForetillError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}
