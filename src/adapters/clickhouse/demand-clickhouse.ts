/** Tells at once what is certainly no ClickHouse; the client takes its answers for a server that is not well yet. */
import { ForetillError } from '../../errors.ts';

/**
 * Asks for what every ClickHouse answers without a password (https://clickhouse.com/docs/interfaces/http). No answer, or
 * one that may come from something in front of it (401, 403, 429, 5xx), is left to the client, which tries again.
 * Throws CONFIG_INVALID.
 */
export async function demandClickHouse(
  url: string,
  { pingMsMax }: { readonly pingMsMax: number },
): Promise<void> {
  const answer = await ask(url, AbortSignal.timeout(pingMsMax)).catch(() => null);
  if (answer === null || isInDoubt(answer.status)) return;
  if (answer.status === 200 && answer.text.startsWith(GREETING)) return;
  throw new ForetillError(
    'CONFIG_INVALID',
    `What answers at ${url} is no ClickHouse: to /ping it says HTTP status ${answer.status}` +
      `${answer.status === 200 ? ' and something else than "Ok."' : ''}.`,
    {
      remedy:
        'Correct the address (CLICKHOUSE_URL or --store-url): its HTTP port is usually 8123, or 8443 with https.',
    },
  );
}

const GREETING = 'Ok.';

function isInDoubt(status: number): boolean {
  return status >= 500 || [401, 403, 407, 408, 425, 429].includes(status);
}

async function ask(url: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/ping`, { redirect: 'manual', signal });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.length >= GREETING.length) break;
  }
  return { status: response.status, text };
}
