/**
 * The log's thread: the only one that touches the file. Requests are served in the order they came, with two
 * exceptions: reads go first (they never wait for more than the transaction under way), and writes that wait together
 * are made durable together.
 */
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import { logFile, openDatabase } from './database.ts';
import { createMaintenance } from './maintenance.ts';
import type { Maintenance } from './maintenance.ts';
import type {
  Failure,
  Opened,
  OperationName,
  Operations,
  Reply,
  RequestOf,
  WorkerOptions,
} from './protocol.ts';
import { createBatchReader } from './read-batches.ts';
import type { BatchReader } from './read-batches.ts';
import { sqliteFailure } from './sqlite-errors.ts';
import { ensureTopics, loadTopics } from './topic-table.ts';
import { createBatchWriter, inTransaction } from './write-batches.ts';
import type { BatchWriter, Write } from './write-batches.ts';

type Store = {
  readonly database: DatabaseSync;
  readonly limits: LogLimits;
  readonly writer: BatchWriter;
  readonly reader: BatchReader;
  readonly maintenance: Maintenance;
};

type Respond = {
  [Name in Exclude<OperationName, Write['name']>]: (
    request: Operations[Name]['request'],
  ) => Operations[Name]['response'];
};

const port = parentPort as MessagePort;
const { dir, limits } = workerData as WorkerOptions;

try {
  const store = openStore();
  post({ ok: true, topics: loadTopics(store.database) });
  serve(store);
} catch (error) {
  post({ ok: false, failure: failureOf(error) });
}

function post(opened: Opened): void {
  port.postMessage(opened);
}

function openStore(): Store {
  const database = openDatabase(dir, limits);
  const writer = createBatchWriter(database, limits);
  writer.learn(loadTopics(database));
  const reader = createBatchReader(database, limits, (partitionId) => writer.endOf(partitionId));
  return { database, limits, writer, reader, maintenance: createMaintenance({ database, reader, limits }) };
}

function serve(store: Store): void {
  const respond = responders(store);
  port.on('message', (first: RequestOf) => {
    let pending = [first, ...received()];
    while (pending.length > 0) {
      const reads = pending.filter((each) => each.name === 'fetch');
      for (const read of reads) answer([read], () => [respond.fetch(read.request)]);
      pending = pending.filter((each) => each.name !== 'fetch');
      const writes = writesTogether(pending, store.limits.groupCommitBytesMax);
      if (writes.length > 0) answer(writes, () => store.writer.write(writes));
      else if (pending[0] !== undefined) answerOther(pending[0], respond);
      pending = pending.slice(Math.max(1, writes.length));
      pending.push(...received());
    }
  });
}

function* received(): Generator<RequestOf> {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    yield next.message as RequestOf;
  }
}

/** The writes at the head of the queue that go into one transaction. */
function writesTogether(pending: readonly RequestOf[], bytesMax: number): Write[] {
  const writes: Write[] = [];
  let bytes = 0;
  for (const each of pending) {
    if (each.name !== 'append' && each.name !== 'commit') break;
    bytes += each.name === 'append' ? each.request.bytes.length : 0;
    if (writes.length > 0 && bytes > bytesMax) break;
    writes.push(each);
  }
  return writes;
}

function answerOther(asked: RequestOf, respond: Respond): void {
  const act = respond[asked.name as keyof Respond] as (request: unknown) => unknown;
  answer([asked], () => [act(asked.request)]);
  if (asked.name === 'close') port.close();
}

/** An operating error fails all of `asked`; anything else is a bug and ends the thread. */
function answer(asked: readonly RequestOf[], act: () => readonly unknown[]): void {
  let replies: Reply[];
  const transfer: ArrayBuffer[] = [];
  try {
    const responses = act();
    replies = asked.map(({ id }, index) => ({ id, ok: true, response: responses[index] }));
    for (const response of responses) if (isFetched(response)) transfer.push(response.bytes.buffer);
  } catch (error) {
    const failure = failureOf(error);
    replies = asked.map(({ id }) => ({ id, ok: false, failure }));
  }
  port.postMessage(replies, transfer);
}

function isFetched(response: unknown): response is Operations['fetch']['response'] {
  return typeof response === 'object' && response !== null && 'damagedAt' in response;
}

function responders({ database, writer, reader, maintenance }: Store): Respond {
  const committed = database.prepare(
    `SELECT partition, next_offset, metadata FROM committed
     WHERE consumer_group = ? AND topic = ? ORDER BY partition`,
  );
  return {
    fetch: (request) => reader.fetch(request),
    ensureTopics: (specs) => {
      const topics = inTransaction(database, () => ensureTopics(database, specs));
      writer.learn(topics);
      return topics;
    },
    committed: ({ group, topic }) =>
      committed
        .all(group, topic)
        .map((row) => [
          row['partition'] as number,
          { offset: row['next_offset'] as number, metadata: row['metadata'] as string },
        ]),
    ranges: (partitionIds) => partitionIds.map((id) => reader.range(id)),
    maintain: ({ nowMs }) => maintenance.slice(nowMs),
    close: () => {
      database.close();
      return null;
    },
  };
}

function failureOf(error: unknown): Failure {
  if (error instanceof ForetillError)
    return { code: error.code, message: error.message, remedy: error.remedy };
  const failure = sqliteFailure(error, logFile(dir));
  if (failure === null) throw error;
  return failure;
}
