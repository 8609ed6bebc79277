/**
 * The store: one client for the embedded engine and for a ClickHouse server.
 *
 * Every request is repeated with the same bytes (and an insert with the same deduplication token) after a failure
 * that passes by itself, with a rising pause, so a lost acknowledgement or a restarting engine neither loses nor
 * doubles rows. Statements given to `command` must therefore be repeatable.
 *
 * All attempts of a request begin within `requestsMsMax`. The last may take its own time, for a long statement, as long
 * as the store answers pings beside it; when nothing is heard of the store for `requestsMsMax`, all requests fail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import type { StoreLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { ColumnType } from './exact-integers.ts';
import { isExact, wideIntegerColumns } from './exact-integers.ts';
import { limitInFlight } from '../in-flight.ts';
import { orAborted } from '../or-aborted.ts';
import { pauseMs } from '../pause.ts';
import { demandClickHouse } from './demand-clickhouse.ts';
import { failureKind } from './retry.ts';
import { watchSilence } from './silence.ts';

/** A table to insert into and the order of a row's values. */
export type Table = { readonly name: string; readonly columns: readonly [string, ...string[]] };

/** The n-th value belongs to the n-th column. DateTime64(3) is given in milliseconds, DateTime in seconds. */
export type Row = readonly unknown[];

/** Rows as the text in which they are sent: made where there is time for it, and cheaper to keep than the rows. */
export type EncodedRows = { readonly count: number; readonly text: string };

export function encodeRows<T>(items: readonly T[], toRow: (item: T) => Row): EncodedRows {
  return { count: items.length, text: items.map((item) => JSON.stringify(toRow(item))).join('\n') };
}

export type ParamValue = string | number | boolean | null | readonly (string | number)[];
/** Values of a statement's `{name:Type}` placeholders; there is no other way to put a value into one. */
export type Params = Readonly<Record<string, ParamValue>>;

export type Store = {
  /** Resolves when the rows are stored. The same token inserts once, however often it is called. */
  insert(table: Table, rows: readonly Row[] | EncodedRows, options: { token: string }): Promise<void>;
  /** Rows as objects. 64-bit integers are exact numbers; STORE_REJECTED when one is too large for that. */
  query<T>(sql: string, params?: Params): Promise<T[]>;
  /** The same as one array per column: for large results. */
  queryColumns<T extends Record<string, unknown[]>>(sql: string, params?: Params): Promise<T>;
  /** A statement without a result. Must be repeatable, or carry a token. */
  command(sql: string, params?: Params, options?: { token?: string }): Promise<void>;
  /** Whether the store answers now; no retries. */
  ping(): Promise<boolean>;
  /** What is under way or waits is rejected (STORE_UNAVAILABLE), as is every request after it. */
  close(): Promise<void>;
};

export type StoreOptions = {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
  readonly limits: StoreLimits;
  /** Makes the database first if it is missing. */
  readonly createDatabase?: boolean;
  /** Told of every failed attempt that will be repeated. */
  readonly onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
};

const SETTINGS: ClickHouseSettings = {
  // Batches are made here; the engine's own batching would only delay and defer the token's check.
  async_insert: 0,
  precise_float_parsing: 1,
  output_format_json_quote_64bit_integers: 0,
  // business_date is part of the sorting key, so versions of one ticket never lie in two partitions.
  do_not_merge_across_partitions_select_final: 1,
};

/**
 * Opens the store and waits until it answers. Errors: STORE_UNAVAILABLE, STORE_REJECTED (e.g. wrong password),
 * CONFIG_INVALID for what is no ClickHouse.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = options.database ?? 'foretill';
  await awaitStore(options, database);
  return connect(options, database);
}

/** A store that is only just starting is waited for as long as any request may take, however often it is tried. */
async function awaitStore(options: StoreOptions, database: string): Promise<void> {
  await demandClickHouse(options.url, options.limits);
  const patient = { ...options, limits: { ...options.limits, attemptsMax: Infinity } };
  const create = options.createDatabase === true;
  const server = connect(patient, create ? 'default' : database);
  try {
    if (create) await server.command('CREATE DATABASE IF NOT EXISTS {database:Identifier}', { database });
    else await server.query('SELECT 1 AS one');
  } catch (error) {
    throw atTheStart(error);
  } finally {
    await server.close();
  }
}

/** Nothing has been sent yet that could be kept. */
function atTheStart(error: unknown): unknown {
  if (!(error instanceof ForetillError) || error.code !== 'STORE_UNAVAILABLE') return error;
  return new ForetillError(error.code, error.message, {
    remedy: 'Check that it runs and can be reached at this address (CLICKHOUSE_URL or --store-url).',
    cause: error.cause,
  });
}

function connect(options: StoreOptions, database: string): Store {
  const { limits } = options;
  const client = openClient(options, database);
  const inTurn = limitInFlight({
    max: limits.inFlightMax,
    waitingMax: limits.waitingMax,
    onFull: () => unavailable(options.url, `${limits.waitingMax} requests are already waiting`),
  });

  const seconds = Math.round(limits.requestsMsMax / 1_000);
  let end = new AbortController();
  const watch = watchSilence({
    silentMsMax: limits.requestsMsMax,
    pingMsMax: limits.pingMsMax,
    ping,
    onSilent() {
      const silent = end;
      if (!closed) end = new AbortController();
      silent.abort(unavailable(options.url, `nothing was heard of it for ${seconds} s`));
    },
  });
  let closed = false;

  async function ping(): Promise<boolean> {
    const abort_signal = AbortSignal.timeout(limits.pingMsMax);
    return (await client.ping({ select: false, abort_signal })).success;
  }

  /** One request with its retries; `about` names it in errors. */
  async function request<T>(
    about: string,
    attemptOnce: (abort_signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { signal } = end;
    watch.began();
    try {
      return await inTurn(() => repeat(about, { attemptOnce, signal }), signal);
    } finally {
      watch.ended();
    }
  }

  async function repeat<T>(
    about: string,
    { attemptOnce, signal }: { attemptOnce: (signal: AbortSignal) => Promise<T>; signal: AbortSignal },
  ): Promise<T> {
    const deadlineMs = performance.now() + limits.requestsMsMax;
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await orAborted(attemptOnce(signal), signal);
        watch.heard();
        return result;
      } catch (error) {
        signal.throwIfAborted();
        const kind = failureKind(error);
        if (error instanceof ClickHouseError) watch.heard();
        if (kind === 'bug' || error instanceof ForetillError) throw error;
        if (kind === 'refused') throw rejected(about, error);
        const delayMs = pauseMs(attempt, limits);
        if (attempt >= limits.attemptsMax || performance.now() + delayMs > deadlineMs)
          throw exhausted(options.url, { kind, attempt, error });
        options.onRetry?.({ attempt, delayMs, error });
        await orAborted(delay(delayMs, undefined, { signal }), signal);
      }
    }
  }

  return {
    async insert(table, rows, { token }) {
      const { count, text } = 'text' in rows ? rows : encodeRows(rows, (row) => row);
      if (count === 0) return;
      await request(`inserting ${count} rows into ${table.name}`, (abort_signal) =>
        client.insert({
          abort_signal,
          table: table.name,
          columns: [...table.columns],
          values: [text],
          format: 'JSONCompactEachRow',
          clickhouse_settings: { insert_deduplication_token: token },
        }),
      );
    },
    async query<T>(sql: string, params: Params = {}) {
      return request(`reading (${firstLine(sql)})`, async (abort_signal) => {
        const answer = await client.query({ query: sql, query_params: params, format: 'JSON', abort_signal });
        const { meta, data } = await answer.json<Record<string, unknown>>();
        for (const name of wideIntegerColumns(meta ?? [])) {
          if (!data.every((row) => isExact(row[name]))) throw tooWide(name, sql);
        }
        return data as T[];
      });
    },
    async queryColumns<T extends Record<string, unknown[]>>(sql: string, params: Params = {}) {
      return request(`reading (${firstLine(sql)})`, async (abort_signal) => {
        const answer = await client.query({
          abort_signal,
          query: sql,
          query_params: params,
          format: 'JSONColumnsWithMetadata',
        });
        const { meta, data } = (await answer.json()) as unknown as { meta: ColumnType[]; data: T };
        // An answer without rows has no columns either.
        const columns = Object.fromEntries(meta.map(({ name }) => [name, data[name] ?? []])) as T;
        for (const name of wideIntegerColumns(meta)) {
          if (!columns[name]!.every(isExact)) throw tooWide(name, sql);
        }
        return columns;
      });
    },
    async command(sql, params = {}, { token } = {}) {
      await request(firstLine(sql), (abort_signal) =>
        client.command({
          abort_signal,
          query: sql,
          query_params: params,
          ...(token === undefined ? {} : { clickhouse_settings: { insert_deduplication_token: token } }),
        }),
      );
    },
    ping,
    async close() {
      closed = true;
      end.abort(unavailable(options.url, 'it was closed here'));
      await client.close();
    },
  };
}

const PING_CONNECTIONS = 2;

function openClient(options: StoreOptions, database: string): ClickHouseClient {
  const { limits } = options;
  return createClient({
    url: options.url,
    username: options.username ?? 'default',
    password: options.password ?? '',
    database,
    application: 'foretill',
    // What is inserted comes as text already.
    json: {
      parse: JSON.parse,
      stringify: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
    },
    // It would print statements with their values; what matters is told through errors and onRetry.
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: limits.requestMsMax,
    // Whether it lives must be asked beside any number of long statements.
    max_open_connections: limits.inFlightMax + PING_CONNECTIONS,
    keep_alive: {
      enabled: true,
      idle_socket_ttl: limits.idleSocketMsMax,
      eagerly_destroy_stale_sockets: true,
    },
    clickhouse_settings: { ...SETTINGS, max_execution_time: Math.ceil(limits.requestMsMax / 1_000) },
  });
}

function firstLine(sql: string): string {
  return sql.trim().replace(/\s+/g, ' ').slice(0, 120);
}

function rejected(about: string, cause: unknown): ForetillError {
  return new ForetillError('STORE_REJECTED', `ClickHouse refused ${about}: ${(cause as Error).message}`, {
    remedy: 'Check the address, user, password and database; if they are right, report this as a defect.',
    cause,
  });
}

function tooWide(column: string, sql: string): ForetillError {
  return new ForetillError(
    'STORE_REJECTED',
    `A value of ${column} is beyond ±(2^53 − 1) and cannot be read exactly (${firstLine(sql)}).`,
    { remedy: 'Check the amounts and quantities that were sent in: no real total is that large.' },
  );
}

function exhausted(url: string, failure: { kind: string; attempt: number; error: unknown }): ForetillError {
  const message = (failure.error as Error).message || 'an answer without a word';
  if (failure.kind !== 'disk-full')
    return unavailable(url, `${failure.attempt} attempts failed, the last: ${message}`, failure.error);
  return new ForetillError('DISK_FULL', `ClickHouse at ${url} has no space left: ${message}`, {
    remedy: 'Free space on its disk; nothing is lost, it goes on when there is room.',
    cause: failure.error,
  });
}

function unavailable(url: string, what: string, cause?: unknown): ForetillError {
  return new ForetillError('STORE_UNAVAILABLE', `ClickHouse at ${url} does not answer: ${what}.`, {
    remedy: 'Check that it runs and can be reached; what was sent is kept and will be tried again.',
    cause,
  });
}
