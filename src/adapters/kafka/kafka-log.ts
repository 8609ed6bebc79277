/**
 * The log on Kafka: the same port as the embedded log, for many processes.
 *
 *   append ─ append (check, admit) ─ append-lane (group, retry) ─ kafka-producer ──┐
 *   ensureTopics, topics, offsets, committed ─ admin ─ admin-client ───────────────┼─ kafkajs
 *   join ─ consumer, tail ─ tail: a group member and a fetch loop of our own ──────┘  (its inner layer: protocol.ts)
 */
import { Kafka } from 'kafkajs';
import type { Clock } from '../../clock.ts';
import type { KafkaLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { ConsumerOptions, Log, TailOptions } from '../../pipeline/log.ts';
import type { KafkaAddress } from './client/address.ts';
import { closedError, createAdminClient } from './client/admin-client.ts';
import { createAdmin } from './topics/admin.ts';
import { createAppender } from './writing/append.ts';
import { Brokers } from './client/brokers.ts';
import { clientSettings } from './client/client-settings.ts';
import { joinGroup } from './group/consumer.ts';
import { explainConnection } from './client/explain-connection.ts';
import type { KafkaEvent } from './client/events.ts';
import { names as namesOf } from './client/names.ts';
import { createSockets } from './client/sockets.ts';
import { openTail } from './reading/tail.ts';
import { createTopicShapes } from './topics/topic-shapes.ts';

export type KafkaLogOptions = {
  readonly address: KafkaAddress;
  readonly limits: KafkaLimits;
  /** Stamps records without a timestamp. */
  readonly clock: Clock;
  readonly onEvent: (event: KafkaEvent) => void;
};

/**
 * Connects once, so that what is wrong with the address, certificates or password is said at the start: LOG_UNAVAILABLE
 * or CONFIG_INVALID. Later absences of brokers are waited out.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const { address, limits, clock, onEvent } = options;
  const settings = clientSettings(address, limits);
  const sockets = createSockets();
  const kafka = new Kafka({ ...settings, socketFactory: sockets.factory });
  const names = namesOf(address.namespace);
  const client = createAdminClient({ kafka, address, limits, onEvent });
  try {
    await client.open();
  } catch (error) {
    await client.close();
    throw await explainConnection(error, address);
  }
  const brokers = new Brokers(settings, []);
  const admin = createAdmin({ admin: client, brokers, address, names, limits });
  const shapes = createTopicShapes({ admin: client, names, limits });
  const ending = new AbortController();
  const appender = createAppender({
    kafka,
    address,
    names,
    shapes,
    clock,
    limits,
    onEvent,
    ending: ending.signal,
  });
  const reading = new Set<Reader>();
  let state: 'open' | 'stopping' | 'closed' = 'open';
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    state = 'stopping';
    await Promise.all([...reading].map((each) => each.stop()));
    state = 'closed';
    const patience = setTimeout(() => {
      ending.abort(cutOff(limits.closeMsMax));
      sockets.cut();
    }, limits.closeMsMax);
    await appender.close();
    await client.close();
    clearTimeout(patience);
    brokers.close();
    sockets.cut();
  }

  function demandReadable({ batchRecordsMax }: ConsumerOptions | TailOptions): void {
    if (state !== 'open') throw closedError();
    if (batchRecordsMax >= 1) return;
    throw new ForetillError('INPUT_INVALID', `A batch of at most ${batchRecordsMax} records cannot be.`, {
      remedy: 'Use 1 or more.',
    });
  }
  const isCompacted = async (topic: string): Promise<boolean> => (await shapes.get(topic)).isCompacted;
  const onLeft = (reader: Reader): void => void reading.delete(reader);
  const deps = { address, settings, names, limits, onEvent, isCompacted, onLeft, onEnded: onLeft };

  /** Opening takes a while; the log may have been closed meanwhile. */
  async function keep<Opened extends Reader>(opening: Promise<Opened>): Promise<Opened> {
    const reader = await opening;
    if (state === 'open') {
      reading.add(reader);
      return reader;
    }
    await reader.stop();
    throw closedError();
  }

  return {
    ...admin,
    append: appender.append,
    async join(consumerOptions, handler) {
      demandReadable(consumerOptions);
      return keep(joinGroup(deps, consumerOptions, handler));
    },
    async tail(tailOptions, handler) {
      demandReadable(tailOptions);
      return keep(openTail(deps, tailOptions, handler));
    },
    close: () => (closing ??= close()),
  };
}

type Reader = { stop(): Promise<void> };

function cutOff(closeMsMax: number): ForetillError {
  return new ForetillError(
    'LOG_UNAVAILABLE',
    `Kafka has not taken what was under way within ${closeMsMax / 1000} s, and the log was closed.`,
    { remedy: 'Send it again; it may be there twice then.' },
  );
}
