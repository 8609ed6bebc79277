import { describe, expect, test } from 'vitest';
import { checkAddress, registryAddressFrom } from '../../../src/adapters/schema-registry/address.ts';

describe('the environment and options give', () => {
  const full = {
    SCHEMA_REGISTRY_URL: 'https://registry.example:8081/apis/ccompat/v7/',
    SCHEMA_REGISTRY_USERNAME: 'ann',
    SCHEMA_REGISTRY_PASSWORD: ' s:p ',
  };
  const url = 'https://registry.example:8081/apis/ccompat/v7';

  test.each<[string, Record<string, string | undefined>, { url?: string }, unknown]>([
    ['nothing', {}, {}, null],
    ['nothing from what is empty', { SCHEMA_REGISTRY_URL: '', SCHEMA_REGISTRY_USERNAME: 'a' }, {}, null],
    ['an address', { SCHEMA_REGISTRY_URL: ` ${url} ` }, {}, { url }],
    ['an address, user and password', full, {}, { url, username: 'ann', password: ' s:p ' }],
    [
      'the option rather than the variable',
      { SCHEMA_REGISTRY_URL: url },
      { url: 'http://b' },
      { url: 'http://b' },
    ],
    [
      'no user from empty variables',
      { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_USERNAME: '', SCHEMA_REGISTRY_PASSWORD: '' },
      {},
      { url },
    ],
  ])('%s', (_, environment, overrides, expected) => {
    expect(registryAddressFrom(environment, overrides)).toEqual(expected);
  });
});

describe('an address is refused', () => {
  test.each<[string, Parameters<typeof checkAddress>[0], RegExp]>([
    [
      'with a user and a password in it',
      { url: 'http://ann:s3cret@registry:8081' },
      /SCHEMA_REGISTRY_USERNAME/,
    ],
    ['with a password in it', { url: 'http://:s3cret@registry:8081' }, /SCHEMA_REGISTRY_PASSWORD/],
    ['that is none', { url: 'ann:s3cret@registry' }, /--schema-registry-url/],
    ['that is not for the web', { url: 'ftp://ann:s3cret@registry' }, /http:/],
    ['with a query', { url: 'http://registry?password=s3cret' }, /\?/],
    ['with a user alone', { url: 'http://registry', username: 'ann' }, /both/],
    ['with a password alone', { url: 'http://registry', password: 's3cret' }, /both/],
    [
      'with a user that has a colon',
      { url: 'http://registry', username: 'a:b', password: 's3cret' },
      /without/,
    ],
  ])('%s, and no secret is told', (_, address, remedy) => {
    expect(() => checkAddress(address)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.not.stringContaining('s3cret') as string,
        remedy: expect.stringMatching(remedy) as string,
      }),
    );
  });
});
