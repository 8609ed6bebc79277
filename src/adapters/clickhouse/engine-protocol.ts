/**
 * The part of ClickHouse's HTTP protocol that the embedded engine speaks, as data: what a request asks for.
 * Source: https://clickhouse.com/docs/interfaces/http
 */
import { timingSafeEqual } from 'node:crypto';

export type EngineRequest = {
  /** The statement; for an INSERT with the data in the body, without the data. */
  readonly sql: string;
  /** The rows of an INSERT whose statement stands in the address. */
  readonly data: Buffer | null;
  readonly database: string | null;
  /** Escaped as ClickHouse reads query parameters (tab-separated rules). */
  readonly params: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
};

/** Parts of the address that are neither parameters nor settings of the statement. */
const NOT_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'role',
  'compress',
  'decompress',
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
]);

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Throws a RangeError on a name that is none. */
export function parseEngineRequest(search: URLSearchParams, body: Buffer): EngineRequest {
  const params = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of search) {
    if (NOT_SETTINGS.has(name)) continue;
    if (!NAME.test(name)) throw new RangeError(`"${name}" is not a name of a setting or parameter`);
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else settings.set(name, value);
  }
  const query = search.get('query');
  return {
    sql: query ?? body.toString('utf8'),
    data: query === null || body.length === 0 ? null : body,
    database: search.get('database'),
    params,
    settings,
  };
}

/** Whether a request's Authorization or X-ClickHouse-User/-Key headers name this user and password. */
export function isAuthorised(
  headers: NodeJS.Dict<string | string[]>,
  account: { readonly username: string; readonly password: string },
): boolean {
  const given = credentials(headers);
  return given !== null && sameText(given, `${account.username}:${account.password}`);
}

function credentials(headers: NodeJS.Dict<string | string[]>): string | null {
  const authorization = headers['authorization'];
  if (typeof authorization === 'string' && authorization.startsWith('Basic ')) {
    return Buffer.from(authorization.slice('Basic '.length), 'base64').toString('utf8');
  }
  const user = headers['x-clickhouse-user'];
  const key = headers['x-clickhouse-key'];
  return typeof user === 'string' && typeof key === 'string' ? `${user}:${key}` : null;
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export type RawInsert = {
  readonly table: string;
  readonly columns: readonly string[] | null;
  readonly format: string;
};

const INSERT = /^\s*INSERT\s+INTO\s+([\w.]+)\s*(?:\(([\w.,\s]+)\))?\s*FORMAT\s+(\w+)\s*;?\s*$/i;

/** The parts of a plain `INSERT INTO t (a, b) FORMAT f`, or null for any other statement. */
export function parseRawInsert(sql: string): RawInsert | null {
  const match = INSERT.exec(sql);
  if (match === null) return null;
  const [, table, columns, format] = match;
  return {
    table: table!,
    columns: columns === undefined ? null : columns.split(',').map((column) => column.trim()),
    format: format!,
  };
}

/** The names of the `{name:Type}` placeholders of a statement. */
export function placeholders(sql: string): string[] {
  return Array.from(sql.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g), (match) => match[1]!);
}
