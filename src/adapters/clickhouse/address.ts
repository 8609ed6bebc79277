/** Where the ClickHouse server is: from an option of a command, or from the environment. */
import { ForetillError } from '../../errors.ts';

/**
 * The same URL in plain form, without a slash at the end. It is shown in errors, logs and the status, so a password has
 * no place in it; nor is text repeated that may hold one. Throws CONFIG_INVALID.
 *
 * @example checkStoreUrl('http://127.0.0.1:8123/') // http://127.0.0.1:8123
 */
export function checkStoreUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw invalid(
      'has an address that is no web address',
      'Write it like http://127.0.0.1:8123 (CLICKHOUSE_URL or --store-url).',
    );
  if (url.username !== '' || url.password !== '')
    throw invalid(
      `at ${url.host} has a user or a password in its address`,
      'Take them out of it: the user goes into CLICKHOUSE_USER or --store-user, the password into FORETILL_STORE_PASSWORD.',
    );
  // The client would take the path for the database, and the query for settings, before what it is told beside it.
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw invalid(
      `at ${url.host} has an address with more than a host and a port`,
      'Leave out what follows them; the database goes into CLICKHOUSE_DATABASE or --store-database.',
    );
  return url.origin;
}

function invalid(what: string, remedy: string): ForetillError {
  return new ForetillError('CONFIG_INVALID', `The ClickHouse server ${what}.`, { remedy });
}
