/** Where the schema registry is and how one gets in: from options of a command, or from the environment. */
import { ForetillError } from '../../errors.ts';

export type RegistryAddress = {
  /** Of its Confluent-compatible API. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
};

/**
 * The address that the environment (SCHEMA_REGISTRY_URL and so on) and the overrides, which win, describe; null when
 * neither names a registry. Throws CONFIG_INVALID. An empty variable is one that is not set.
 */
export function registryAddressFrom(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: { readonly url?: string } = {},
): RegistryAddress | null {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const url = overrides.url ?? read('SCHEMA_REGISTRY_URL');
  if (url === undefined) return null;
  demandPlainUrl(url);
  const username = read('SCHEMA_REGISTRY_USERNAME');
  const password = read('SCHEMA_REGISTRY_PASSWORD');
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** An address is shown in logs and errors: a password has no place in it. */
function demandPlainUrl(url: string): void {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ForetillError('CONFIG_INVALID', `The address of the schema registry is no web address.`, {
      remedy: 'Write it like http://127.0.0.1:8081 (SCHEMA_REGISTRY_URL or --schema-registry-url).',
    });
  }
  if (parsed.username === '' && parsed.password === '') return;
  throw new ForetillError(
    'CONFIG_INVALID',
    'The address of the schema registry holds a user or a password.',
    {
      remedy: 'Take them out of the address and set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD.',
    },
  );
}
