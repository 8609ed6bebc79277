/** Where the schema registry is and as whom we speak to it: from options of a command, or from the environment. */
import { ForetillError } from '../../errors.ts';

export type RegistryAddress = {
  /** Of its Confluent-compatible API, e.g. https://registry:8081 or http://registry:8080/apis/ccompat/v7. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
};

/**
 * The address that the environment (SCHEMA_REGISTRY_URL, SCHEMA_REGISTRY_USERNAME, SCHEMA_REGISTRY_PASSWORD) and the
 * overrides, which win, describe; null when neither names a registry. Throws CONFIG_INVALID. An empty variable is one
 * that is not set.
 */
export function registryAddressFrom(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: { readonly url?: string } = {},
): RegistryAddress | null {
  const url = overrides.url ?? environment['SCHEMA_REGISTRY_URL']?.trim();
  const username = environment['SCHEMA_REGISTRY_USERNAME'];
  const password = environment['SCHEMA_REGISTRY_PASSWORD'];
  if (url === undefined || url === '') return null;
  return checkAddress({
    url,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  });
}

/** The same address with its URL in plain form, without a slash at the end. Throws CONFIG_INVALID. */
export function checkAddress({ url, username, password }: RegistryAddress): RegistryAddress {
  const plainUrl = checkUrl(url);
  if ((username === undefined) !== (password === undefined))
    throw invalid(
      'has a user name without a password, or a password without a user name',
      'Set both SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or neither.',
    );
  if (username === undefined || password === undefined) return { url: plainUrl };
  // RFC 7617: what stands after the first colon would be taken for the password.
  if (username.includes(':'))
    throw invalid('has a user name with a colon in it', 'Use a user name without one.');
  return { url: plainUrl, username, password };
}

/** An address is shown in logs and errors, so a password has no place in it; nor is text repeated that may hold one. */
function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw invalid(
      'has an address that is no web address',
      'Write it like http://127.0.0.1:8081 (SCHEMA_REGISTRY_URL or --schema-registry-url).',
    );
  if (url.username !== '' || url.password !== '')
    throw invalid(
      `at ${url.host} has a user or a password in its address`,
      'Take them out of it and set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD.',
    );
  if (url.search !== '' || url.hash !== '')
    throw invalid(
      `at ${url.host} has an address with a query or a fragment`,
      'Leave out what follows ? or #.',
    );
  return url.href.replace(/\/+$/, '');
}

function invalid(what: string, remedy: string): ForetillError {
  return new ForetillError('CONFIG_INVALID', `The schema registry ${what}.`, { remedy });
}
