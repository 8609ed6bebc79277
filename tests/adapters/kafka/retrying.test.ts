import { describe, expect, it } from 'vitest';
import type { KafkaEvent } from '../../../src/adapters/kafka/client/events.ts';
import { connectionBroken, protocolError } from '../../../src/adapters/kafka/client/kafkajs-inner.ts';
import { untilDone } from '../../../src/adapters/kafka/client/retrying.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

const GONE = (): Error => connectionBroken({ host: 'broker', port: 9092 }, 'gone');

function createTrial(failures: readonly (() => Error)[]) {
  const events: KafkaEvent[] = [];
  const end = new AbortController();
  let attempts = 0;
  const done = untilDone(
    {
      limits: { ...DEFAULT_CONFIG.kafka, retryDelayMs: 1, retryDelayMsMax: 2 },
      onEvent: (event) => events.push(event),
      where: { address: { brokers: ['broker:9092'], clientId: 'c', namespace: '' }, topic: 't', group: 'g' },
    },
    'testing',
    {
      signal: end.signal,
      async task() {
        const failure = failures[attempts];
        attempts += 1;
        if (failure !== undefined) throw failure();
        return 'done';
      },
    },
  );
  return { done, events, end, attempts: () => attempts };
}

describe('what a broker cannot do now', () => {
  it.each([
    ['the connection breaks', GONE],
    ['the coordinator moves', () => protocolError('NOT_COORDINATOR_FOR_GROUP')],
    ['the coordinator is still loading', () => protocolError('GROUP_LOAD_IN_PROGRESS')],
    ['nobody leads', () => protocolError('LEADER_NOT_AVAILABLE')],
    ['a broker is not known', () => protocolError('BROKER_NOT_AVAILABLE')],
    ['a topic is not known yet', () => protocolError('UNKNOWN_TOPIC_OR_PARTITION')],
  ])('is tried again when %s', async (_, failure) => {
    const { done, events } = createTrial([failure, failure, failure]);
    expect(await done).toBe('done');
    expect(events).toMatchObject([1, 2, 3].map((attempt) => ({ kind: 'retried', what: 'testing', attempt })));
  });

  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', 'CONFIG_INVALID'],
    ['GROUP_AUTHORIZATION_FAILED', 'CONFIG_INVALID'],
    ['INVALID_SESSION_TIMEOUT', 'CONFIG_INVALID'],
  ])('is given up when it is %s', async (type, code) => {
    const { done, attempts } = createTrial([() => protocolError(type)]);
    await expect(done).rejects.toMatchObject({ code });
    expect(attempts()).toBe(1);
  });

  it('is given up when a topic stays unknown', async () => {
    const { done, attempts } = createTrial(
      Array.from({ length: 50 }, () => () => protocolError('UNKNOWN_TOPIC_OR_PARTITION')),
    );
    await expect(done).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    expect(attempts()).toBe(12);
  });

  it('is given up at once when nobody wants it any more', async () => {
    const { done, end } = createTrial(Array.from({ length: 1_000_000 }, () => GONE));
    const reason = new Error('stopped');
    end.abort(reason);
    await expect(done).rejects.toBe(reason);
  });
});
