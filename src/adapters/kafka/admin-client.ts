/**
 * kafkajs's admin client, connected when it is first needed, and made anew after every failure: kafkajs goes on asking
 * about every topic it was once told of, so one that has been deleted would make all later questions fail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { KafkaAddress } from './address.ts';
import type { KafkaEvent } from './events.ts';
import { kafkaError } from './kafka-errors.ts';
import type { KafkaWhere } from './kafka-errors.ts';
import { pauseMs } from './pause.ts';

export type Question<Answer> = {
  /** For whoever reads that it had to be tried again. */
  readonly what: string;
  readonly topic?: string;
  readonly group?: string;
  /** May be asked several times. */
  ask(admin: Admin): Promise<Answer>;
};

export type AdminClient = {
  /** Waits out short absences of the brokers. Rejects with our own errors. */
  answer<Answer>(question: Question<Answer>): Promise<Answer>;
  /** Connects and asks one of the brokers, once: to say early and exactly why Kafka cannot be used. */
  open(): Promise<void>;
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
  let closed = false;

  function connect(): Promise<Admin> {
    connected ??= connectOne(kafka);
    return connected;
  }

  function discard(failed: Promise<Admin>): void {
    if (connected === failed) connected = null;
    void disconnect(failed);
  }

  async function once<Answer>({ ask, ...where }: Question<Answer>): Promise<Answer> {
    if (closed) throw closedError();
    const client = connect();
    try {
      return await ask(await client);
    } catch (error) {
      discard(client);
      throw kafkaError(error, whereOf(where, address));
    }
  }

  return {
    async answer(question) {
      for (let attempt = 1; ; attempt++) {
        const wasAsked = connected !== null;
        try {
          return await once(question);
        } catch (error) {
          const { code, retryable } = error as ForetillError;
          // It may be another topic, asked about before, that is not there any more.
          const passes = retryable || (code === 'INPUT_NOT_FOUND' && wasAsked);
          if (closed || attempt === ATTEMPTS_MAX || !passes) throw error;
          const delayMs = pauseMs(attempt, limits);
          if (retryable) onEvent({ kind: 'retried', what: question.what, attempt, delayMs, error });
          await delay(delayMs);
        }
      }
    },
    async open() {
      await once({ what: 'Connecting to Kafka', ask: (admin) => admin.describeCluster() });
    },
    async close() {
      closed = true;
      if (connected !== null) await disconnect(connected);
    },
  };
}

export function closedError(): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', 'The log is closed.', { remedy: 'Open it again.' });
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
