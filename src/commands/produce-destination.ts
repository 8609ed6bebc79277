/** Where produced events go: into Kafka or the log of a directory that is not in use, or to a running system over HTTP. */
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { ForetillError } from '../errors.ts';
import { TOPICS } from '../pipeline/topics.ts';
import { transactionRecorder } from '../pipeline/transaction-record.ts';
import { openMessaging } from '../platform.ts';
import type { ClusterAddress, Messaging } from '../platform.ts';
import type { TransactionMessage } from '../sales/transaction-message.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { announcedAddress } from './running-address.ts';

export type Destination = {
  readonly name: string;
  /** What a running system says of them at once; into the log everything is taken, and judged by ingest. */
  readonly refused: { count: number; readonly examples: string[] };
  /** Sent before, in the last minutes. */
  duplicates(): number;
  /** Resolves when the events are durable. */
  send(messages: readonly TransactionMessage[]): Promise<void>;
  close(): Promise<void>;
};

type Options = {
  readonly dir: string;
  readonly config: Config;
  readonly url?: string;
  readonly token?: string;
  readonly cluster?: ClusterAddress;
};

const DEFAULT_URL = 'http://127.0.0.1:8642';
const EXAMPLES_MAX = 10;
const REQUEST_MS_MAX = 30_000;

/** Errors: DATA_DIR_UNUSABLE and the like; NOT_READY when no system answers. */
export async function openDestination(options: Options): Promise<Destination> {
  if (options.url !== undefined) return openHttp({ ...options, url: options.url });
  try {
    return openLog(
      await openMessaging({
        ...options,
        clock: systemClock,
        telemetry: createTelemetry({ level: 'warn', format: 'human' }),
      }),
      options.cluster,
    );
  } catch (error) {
    if (!(error instanceof ForetillError) || error.code !== 'DATA_DIR_LOCKED') throw error;
    const url = announcedAddress(options.dir) ?? DEFAULT_URL;
    process.stderr.write(`${error.message} Sending to ${url} instead (--url for another address).\n`);
    return openHttp({ ...options, url });
  }
}

function openLog({ dir, log, codec, close }: Messaging, cluster: ClusterAddress | undefined): Destination {
  const recordOf = transactionRecorder(codec, 'produce');
  return {
    name: cluster === undefined ? `the log in ${dir}` : `Kafka at ${cluster.kafka.brokers.join(', ')}`,
    refused: { count: 0, examples: [] },
    duplicates: () => 0,
    async send(messages) {
      await log.append(TOPICS.transactions, messages.map(recordOf));
    },
    close,
  };
}

async function openHttp({ url, token }: { url: string; token?: string }): Promise<Destination> {
  const base = baseOf(url);
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  await ask(base, '/api/v1/health', {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const refused = { count: 0, examples: [] as string[] };
  let duplicates = 0;
  return {
    name: base,
    refused,
    duplicates: () => duplicates,
    async send(messages) {
      const answer = await ask(base, '/api/v1/transactions', {
        method: 'POST',
        headers,
        body: JSON.stringify(messages),
      });
      const body = (await answer.json()) as Answer;
      if (answer.status === 422) {
        refused.count += messages.length;
        remember(
          refused.examples,
          (body.errors ?? []).map(({ path, message }) => `${path}: ${message}`),
        );
        return;
      }
      if (!answer.ok) throw serverRefused(base, answer.status, body);
      const rejected = body.rejected ?? [];
      duplicates += body.duplicates ?? 0;
      refused.count += rejected.length;
      remember(
        refused.examples,
        rejected.map(({ event_id, problems }) => `${event_id ?? ''}: ${problems[0]?.message ?? ''}`),
      );
    },
    close: async () => {},
  };
}

type Answer = {
  readonly duplicates?: number;
  readonly rejected?: readonly {
    readonly event_id: string | null;
    readonly problems: readonly { readonly message: string }[];
  }[];
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly detail?: string;
  readonly remedy?: string;
};

function remember(examples: string[], more: readonly string[]): void {
  examples.push(...more.slice(0, EXAMPLES_MAX - examples.length));
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed !== null && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed.origin;
  throw new ForetillError('USAGE', `--url ${url} is no web address.`, {
    remedy: `Write it like ${DEFAULT_URL}.`,
  });
}

async function ask(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    const answer = await fetch(base + path, { ...init, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    if (answer.status !== 401) return answer;
  } catch (error) {
    throw new ForetillError('NOT_READY', `No system answers at ${base}.`, {
      remedy: 'Start one with `foretill run`, or say where it is with --url.',
      cause: error,
    });
  }
  throw new ForetillError('USAGE', `${base} wants a token.`, {
    remedy: 'Name a file that holds it with --token-file, or set FORETILL_TOKEN.',
  });
}

function serverRefused(base: string, status: number, { detail, remedy }: Answer): ForetillError {
  return new ForetillError('NOT_READY', `${base} answered ${status}: ${detail ?? 'without a reason'}.`, {
    remedy: remedy ?? 'Try again; events that were taken already change nothing.',
  });
}
