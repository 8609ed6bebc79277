/**
 * The embedded engine's own process: opens chDB on a data directory and answers ClickHouse's HTTP protocol on the
 * loopback. Started by embedded-engine.ts, which hands it an EngineOrder over the process channel; when that channel
 * closes, however the parent ended, it finishes what is in work and goes.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { EngineLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { lockDataDir } from '../data-dir-lock.ts';
import type { DataDirLock } from '../data-dir-lock.ts';
import { isAuthorised, parseEngineRequest } from './engine-protocol.ts';
import type { EngineSessions } from './engine-sessions.ts';
import { openEngineSessions } from './engine-sessions.ts';

export type EngineOrder = EngineLimits & {
  readonly dir: string;
  /** 0: chosen by the operating system. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
};

export type EngineReport =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly remedy: string };

const unzip = promisify(gunzip);
const KEEP_ALIVE_MS = 10_000;
const ADDRESS_BYTES_MAX = 1_048_576;

// Ctrl-C, a service manager and `timeout` signal the whole process group; when to go is the parent's decision alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.once('message', (order: EngineOrder) => {
  void start(order).catch(report);
});

async function start(order: EngineOrder): Promise<void> {
  const leave = (): never => process.exit(0);
  process.once('disconnect', leave);
  const lock = await lockDataDir(order.dir, { command: 'foretill engine', waitMs: order.lockWaitMs });
  const path = join(order.dir, 'engine');
  mkdirSync(path, { recursive: true });
  const sessions = openEngineSessions({
    path,
    sessions: order.sessions,
    engineArguments: [`--max_server_memory_usage=${order.memoryBytesMax}`],
  });
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: ADDRESS_BYTES_MAX },
    (req, res) => {
      void answer(req, res, { order, sessions });
    },
  );
  const stop = (): void => void shutDown(server, { sessions, lock, drainMsMax: order.drainMsMax });
  process.off('disconnect', leave);
  process.once('disconnect', stop);
  server.once('error', report);
  server.listen(order.port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') send({ kind: 'ready', port: address.port });
  });
}

type Context = { readonly order: EngineOrder; readonly sessions: EngineSessions };

async function answer(req: IncomingMessage, res: ServerResponse, context: Context): Promise<void> {
  try {
    const url = new URL(req.url ?? '/', 'http://engine');
    if (url.pathname === '/ping') return void res.end('Ok.\n');
    if (!isAuthorised(req.headers, context.order)) {
      req.resume();
      return fail(res, { status: 403, code: 516, message: 'Authentication failed (AUTHENTICATION_FAILED)' });
    }
    const body = await readBody(req, context.order.bodyBytesMax);
    if (body === null) return fail(res, { status: 413, code: 307, message: 'The request body is too large' });
    const result = await context.sessions.run(parseEngineRequest(url.searchParams, body));
    res.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? '');
    res.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    res.end(result);
  } catch (error) {
    fail(res, describe(error));
  }
}

type Failure = { readonly status: number; readonly code: number; readonly message: string };

/** A statement's error as ClickHouse reports it; the engine's messages begin with their code. */
function describe(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = /^Code: (\d+)\./.exec(message)?.[1];
  return { status: code === undefined ? 400 : 500, code: Number(code ?? STD_EXCEPTION), message };
}

const STD_EXCEPTION = 1001;

function fail(res: ServerResponse, failure: Failure): void {
  if (res.headersSent) return void res.destroy();
  res.statusCode = failure.status;
  res.setHeader('X-ClickHouse-Exception-Code', failure.code);
  const { message } = failure;
  res.end(message.startsWith('Code: ') ? message : `Code: ${failure.code}. DB::Exception: ${message}`);
}

/** The whole body, unzipped when it came zipped, or null when it is larger than allowed. */
async function readBody(req: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
  }
  if (bytes > bytesMax) return null;
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return req.headers['content-encoding'] === 'gzip' ? await unzip(body, { maxOutputLength: bytesMax }) : body;
}

async function shutDown(
  server: ReturnType<typeof createServer>,
  rest: { sessions: EngineSessions; lock: DataDirLock; drainMsMax: number },
): Promise<void> {
  // A statement that will not end must not keep the directory: the engine's data survives a kill.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), rest.drainMsMax).unref();
  server.close();
  await rest.sessions.close();
  server.closeAllConnections();
  await rest.lock.release();
  process.exit(0);
}

function report(error: unknown): void {
  const known = error instanceof ForetillError;
  send({
    kind: 'failed',
    code: known
      ? error.code
      : (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? 'ADDRESS_IN_USE'
        : 'DATA_DIR_UNUSABLE',
    message: known ? error.message : `The embedded engine could not start: ${(error as Error).message}`,
    remedy: known
      ? error.remedy
      : 'Free disk space and memory and start again; if it stays, choose another --dir.',
  });
  process.exit(1);
}

function send(message: EngineReport): void {
  if (process.connected) process.send!(message);
}
