/** The caller's end of the log's thread: requests out, promises back. */
import { Worker } from 'node:worker_threads';
import { ForetillError } from '../../errors.ts';
import type {
  Failure,
  Opened,
  OperationName,
  Operations,
  Reply,
  StoredTopic,
  WorkerOptions,
} from './protocol.ts';

export type WorkerClient = {
  /** Rejects with the operating error of the log, or LOG_UNAVAILABLE when its thread has ended. */
  call<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Operations[Name]['response']>;
};

type Waiting = { resolve(response: unknown): void; reject(error: ForetillError): void };

/** Starts the thread and opens the log; rejects with the reason when the file cannot be used. */
export async function startWorker(
  options: WorkerOptions,
): Promise<{ client: WorkerClient; topics: readonly StoredTopic[] }> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'foretill-log',
    workerData: options,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const opened = await firstMessage(worker);
  if (!opened.ok) {
    await worker.terminate();
    throw revive(opened.failure);
  }
  return { client: createClient(worker), topics: opened.topics };
}

function firstMessage(worker: Worker): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(unavailable(cause));
    worker.once('error', failed);
    worker.once('exit', failed);
    worker.once('message', (opened: Opened) => {
      worker.off('error', failed);
      worker.off('exit', failed);
      resolve(opened);
    });
  });
}

function createClient(worker: Worker): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let ended: ForetillError | null = null;

  function end(cause: unknown): void {
    ended ??= unavailable(cause);
    for (const asked of waiting.values()) asked.reject(ended);
    waiting.clear();
  }

  worker.on('message', (replies: readonly Reply[]) => {
    for (const reply of replies) {
      const asked = waiting.get(reply.id) as Waiting;
      waiting.delete(reply.id);
      if (reply.ok) asked.resolve(reply.response);
      else asked.reject(revive(reply.failure));
    }
  });
  worker.on('error', end);
  worker.on('exit', () => end(undefined));

  return {
    call: (name, request, transfer = []) =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(ended);
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, name, request }, transfer);
      }),
  };
}

function revive({ code, message, remedy }: Failure): ForetillError {
  return new ForetillError(code, message, { remedy });
}

function unavailable(cause: unknown): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', 'The log’s thread has ended.', {
    remedy: 'Start again: nothing acknowledged is lost.',
    cause,
  });
}
