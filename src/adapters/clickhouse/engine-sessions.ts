/**
 * The embedded engine's connections: statements run side by side, each alone on a session. A session keeps its
 * database, settings and parameters, so they are set by the difference from the statement before: what every
 * request repeats costs nothing.
 *
 * Parameters are bound with `SET param_x`, not with the engine's own parameter call, which is shared by all
 * connections and breaks when two statements use it at once.
 */
import { Session } from 'chdb';
import type { RawInsertFormat } from 'chdb';
import type { EngineRequest } from './engine-protocol.ts';
import { parseRawInsert, placeholders } from './engine-protocol.ts';

export type EngineSessions = {
  /** The answer's bytes; rejects with the engine's error. */
  run(request: EngineRequest): Promise<Uint8Array>;
  /** Waits for statements in work: closing before would abort the engine. */
  close(): Promise<void>;
};

type Slot = { session: Session; database: string; settings: Map<string, string>; paramNames: Set<string> };

const EMPTY = new Uint8Array(0);
const RAW_FORMATS: ReadonlySet<string> = new Set<RawInsertFormat>([
  'JSONEachRow',
  'JSONCompactEachRow',
  'CSV',
  'CSVWithNames',
  'TabSeparated',
  'TabSeparatedWithNames',
]);

export function openEngineSessions(options: {
  path: string;
  sessions: number;
  engineArguments: readonly string[];
}): EngineSessions {
  const open = (): Session => new Session(options.path, { connectionArgs: options.engineArguments });
  const idle: Slot[] = Array.from({ length: options.sessions }, () => freshSlot(open()));
  const waiting: ((slot: Slot) => void)[] = [];
  let closed = false;

  async function acquire(): Promise<Slot> {
    if (closed) throw new Error('Code: 236. DB::Exception: The engine is closing. (ABORTED)');
    return idle.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
  }

  function give(slot: Slot): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(slot);
    else next(slot);
  }

  return {
    async run(request) {
      const slot = await acquire();
      try {
        const prelude = difference(slot, request);
        if (prelude !== '') await runPrelude(slot, prelude, request, open);
        return await execute(slot.session, request);
      } finally {
        give(slot);
      }
    },
    async close() {
      const taken = await Promise.all(Array.from({ length: options.sessions }, acquire));
      closed = true;
      for (const slot of taken) slot.session.close();
    },
  };
}

function freshSlot(session: Session): Slot {
  return { session, database: 'default', settings: new Map(), paramNames: new Set() };
}

async function runPrelude(
  slot: Slot,
  prelude: string,
  request: EngineRequest,
  open: () => Session,
): Promise<void> {
  try {
    await slot.session.queryAsync(prelude);
  } catch (error) {
    // It may have stopped half way: only a new session is sure to stand at the defaults.
    slot.session.close();
    Object.assign(slot, freshSlot(open()));
    throw error;
  }
  slot.database = request.database ?? 'default';
  slot.settings = new Map(request.settings);
  for (const name of request.params.keys()) slot.paramNames.add(name);
}

/** The statements that bring a session to where the request wants it. */
function difference(slot: Slot, request: EngineRequest): string {
  for (const name of placeholders(request.sql)) {
    // Without this a forgotten parameter would silently take the value of an earlier statement.
    if (slot.paramNames.has(name) && !request.params.has(name)) {
      throw new Error(
        `Code: 456. DB::Exception: Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
      );
    }
  }
  const statements: string[] = [];
  const database = request.database ?? 'default';
  if (database !== slot.database) statements.push(`USE \`${database.replace(/[\\`]/g, '\\$&')}\``);
  const changes: string[] = [];
  for (const name of slot.settings.keys()) if (!request.settings.has(name)) changes.push(`${name} = DEFAULT`);
  for (const [name, value] of request.settings) {
    if (slot.settings.get(name) !== value) changes.push(`${name} = ${quote(value)}`);
  }
  for (const [name, value] of request.params) changes.push(`param_${name} = ${quote(value)}`);
  if (changes.length > 0) statements.push(`SET ${changes.join(', ')}`);
  return statements.join('; ');
}

async function execute(session: Session, request: EngineRequest): Promise<Uint8Array> {
  if (request.data === null)
    return (await session.queryAsync(request.sql, { format: 'TabSeparated' })).bytes();
  const insert = parseRawInsert(request.sql);
  if (insert !== null && RAW_FORMATS.has(insert.format)) {
    await session.insert({
      table: insert.table,
      ...(insert.columns === null ? {} : { columns: insert.columns }),
      format: insert.format as RawInsertFormat,
      values: request.data,
    });
    return EMPTY;
  }
  return (await session.queryAsync(`${request.sql}\n${request.data.toString('utf8')}`)).bytes();
}

function quote(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
