/**
 * kafkajs's admin client, connected when it is first needed, and made anew after every failure: kafkajs goes on asking
 * about every topic it was once told of, so one that has been deleted would make all later questions fail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import { ForetillError } from '../../../errors.ts';
import { orAborted } from '../../or-aborted.ts';
import { pauseMs } from '../../pause.ts';
import type { KafkaAddress } from './address.ts';
import type { KafkaEvent } from './events.ts';
import { kafkaError } from './kafka-errors.ts';
import type { KafkaWhere } from './kafka-errors.ts';

export type Question<Answer> = {
  /** For whoever reads that it had to be tried again. */
  readonly what: string;
  readonly topic?: string;
  readonly group?: string;
  /** May be asked several times. */
  ask(admin: Admin): Promise<Answer>;
};

export type AdminClient = {
  /** Waits out short absences of the brokers, `questionMsMax` at most. Rejects with our own errors. */
  answer<Answer>(question: Question<Answer>): Promise<Answer>;
  /** Connects and asks one of the brokers, once: to say early and exactly why Kafka cannot be used. */
  open(): Promise<void>;
  /** What is still asked is rejected. */
  close(): Promise<void>;
};

export type AdminClientParts = {
  readonly kafka: Kafka;
  readonly address: KafkaAddress;
  readonly limits: KafkaLimits;
  readonly onEvent: (event: KafkaEvent) => void;
};

/** With the pauses between them about three seconds. */
const ATTEMPTS_MAX = 5;

export function createAdminClient(parts: AdminClientParts): AdminClient {
  const { kafka, address, limits, onEvent } = parts;
  let connected: Promise<Admin> | null = null;
  const underWay = new Set<AbortController>();
  let closed = false;

  function connect(): Promise<Admin> {
    connected ??= connectOne(kafka);
    return connected;
  }

  function discard(failed: Promise<Admin>): void {
    if (connected === failed) connected = null;
    void disconnect(failed);
  }

  async function once<Answer>({ ask, ...where }: Question<Answer>, end?: AbortSignal): Promise<Answer> {
    if (closed) throw closedError();
    const client = connect();
    const asking = client.then(ask);
    try {
      return await (end === undefined ? asking : orAborted(asking, end));
    } catch (error) {
      discard(client);
      throw end?.aborted === true ? end.reason : kafkaError(error, whereOf(where, address));
    }
  }

  async function repeat<Answer>(question: Question<Answer>, end: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const wasAsked = connected !== null;
      try {
        return await once(question, end);
      } catch (error) {
        const { code, retryable } = error as ForetillError;
        // It may be another topic, asked about before, that is not there any more.
        const passes = retryable || (code === 'INPUT_NOT_FOUND' && wasAsked);
        if (end.aborted || closed || attempt === ATTEMPTS_MAX || !passes) throw error;
        const delayMs = pauseMs(attempt, limits);
        if (retryable) onEvent({ kind: 'retried', what: question.what, attempt, delayMs, error });
        await orAborted(delay(delayMs), end);
      }
    }
  }

  return {
    async answer(question) {
      const end = new AbortController();
      const { questionMsMax } = limits;
      const patience = setTimeout(
        () => end.abort(unanswered(question.what, { address, seconds: questionMsMax / 1000 })),
        questionMsMax,
      );
      underWay.add(end);
      try {
        return await repeat(question, end.signal);
      } finally {
        underWay.delete(end);
        clearTimeout(patience);
      }
    },
    async open() {
      await once({ what: 'Connecting to Kafka', ask: (admin) => admin.describeCluster() });
    },
    async close() {
      closed = true;
      for (const end of underWay) end.abort(closedError());
      if (connected !== null) await disconnect(connected);
    },
  };
}

export function closedError(): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', 'The log is closed.', { remedy: 'Open it again.' });
}

function unanswered(
  what: string,
  { address, seconds }: { readonly address: KafkaAddress; readonly seconds: number },
): ForetillError {
  const where = address.brokers.join(', ');
  return new ForetillError('LOG_UNAVAILABLE', `${what} took Kafka at ${where} longer than ${seconds} s.`, {
    remedy: 'Check that its brokers run, have work they can cope with, and can be reached; then try again.',
  });
}

async function connectOne(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(ignore);
    throw error;
  }
}

async function disconnect(connecting: Promise<Admin>): Promise<void> {
  const admin = await connecting.catch(ignore);
  await admin?.disconnect().catch(ignore);
}

/** Whoever disconnects has no more use for what goes wrong with it. */
function ignore(): undefined {}

function whereOf(
  { topic, group }: { readonly topic?: string; readonly group?: string },
  address: KafkaAddress,
): KafkaWhere {
  return {
    address,
    ...(topic === undefined ? {} : { topic }),
    ...(group === undefined ? {} : { group }),
  };
}
