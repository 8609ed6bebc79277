import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import {
  isPassing,
  isSequenceLost,
  kafkaError,
  protocolErrorOf,
} from '../../../src/adapters/kafka/client/kafka-errors.ts';
import type { KafkaWhere } from '../../../src/adapters/kafka/client/kafka-errors.ts';
import { ForetillError } from '../../../src/errors.ts';

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error;
};
const {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSRequestTimeoutError,
} = kafkajs as unknown as Record<string, new (cause: unknown, details?: unknown) => Error>;

const WHERE: KafkaWhere = {
  address: {
    brokers: ['a:9092'],
    clientId: 'foretill',
    namespace: '',
    sasl: { mechanism: 'plain', username: 'ann', password: 'pass-word' },
  },
  topic: 'sales',
  group: 'readers',
};
const connection = (code: string, broker = 'a:9092'): Error =>
  new KafkaJSConnectionError!('Connection error: it says', { broker, code });
const retried = (cause: Error): Error =>
  new KafkaJSNumberOfRetriesExceeded!(cause, { retryCount: 2, retryTime: 100 });

describe('what Kafka answers', () => {
  test.each([
    [3, 'INPUT_NOT_FOUND', 'Kafka has no topic sales.'],
    [10, 'INPUT_INVALID', 'Kafka refuses records for topic sales as too large.'],
    [18, 'INPUT_INVALID', 'Kafka refuses records for topic sales as too large.'],
    [32, 'INPUT_INVALID', 'Kafka refuses records for topic sales because of their timestamps.'],
    [87, 'INPUT_INVALID', 'Kafka refuses records for topic sales as they are.'],
    [29, 'CONFIG_INVALID', 'Kafka does not allow user ann to use topic sales.'],
    [30, 'CONFIG_INVALID', 'Kafka does not allow user ann to use group readers.'],
    [31, 'CONFIG_INVALID', 'Kafka does not allow user ann to use the cluster itself.'],
    [58, 'CONFIG_INVALID', 'Kafka at a:9092 refuses user ann by SASL PLAIN.'],
    [33, 'CONFIG_INVALID', 'Kafka at a:9092 does not offer SASL PLAIN at this port.'],
    [38, 'CONFIG_INVALID', /as many copies of topic sales/],
    [44, 'CONFIG_INVALID', /A policy of the Kafka cluster forbids topic sales/],
    [56, 'DISK_FULL', 'A Kafka broker cannot write topic sales to its disk, which is full or failing.'],
    [19, 'LOG_UNAVAILABLE', 'Too few brokers have a copy of topic sales to write to it safely.'],
    [5, 'LOG_UNAVAILABLE', 'No broker leads topic sales at the moment.'],
    [14, 'LOG_UNAVAILABLE', /^Kafka at a:9092 answers GROUP_LOAD_IN_PROGRESS about sales: [^.]*\.$/],
    [-1, 'LOG_UNAVAILABLE', /^Kafka at a:9092 answers UNKNOWN about sales: [^.]*\.$/],
  ])('%d is %s', (code, expected, sentence) => {
    for (const error of [createErrorFromCode(code), retried(createErrorFromCode(code))]) {
      expect(kafkaError(error, WHERE)).toMatchObject({
        code: expected,
        message: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
      });
    }
  });

  test('about several topics is told of the first', () => {
    const error = new KafkaJSAggregateError!('Topic creation errors', [createErrorFromCode(38)]);
    expect(kafkaError(error, WHERE).message).toMatch(/copies of topic sales/);
    expect(protocolErrorOf(error)).toBe('INVALID_REPLICATION_FACTOR');
  });
});

describe('a connection that', () => {
  test.each([
    [
      'is refused',
      connection('ECONNREFUSED'),
      'LOG_UNAVAILABLE',
      'Kafka at a:9092 cannot be reached: nothing listens there.',
    ],
    [
      'has no host',
      connection('ENOTFOUND'),
      'LOG_UNAVAILABLE',
      'Kafka at a:9092 cannot be reached: there is no host of that name.',
    ],
    [
      'fails otherwise',
      connection('EWHATEVER'),
      'LOG_UNAVAILABLE',
      'Kafka at a:9092 cannot be reached: it says.',
    ],
    [
      'is to another broker',
      connection('ECONNREFUSED', 'b:1'),
      'LOG_UNAVAILABLE',
      /names b:1 as a broker, which cannot be reached from here/,
    ],
    [
      'meets an expired certificate',
      connection('CERT_HAS_EXPIRED'),
      'CONFIG_INVALID',
      'The certificate of Kafka at a:9092 is not valid at this time.',
    ],
    [
      'answers nothing',
      new KafkaJSRequestTimeoutError!('Request Produce timed out', { broker: 'a:9092' }),
      'LOG_UNAVAILABLE',
      'Kafka at a:9092 did not answer in time.',
    ],
    [
      'breaks kafkajs',
      new TypeError('Cannot read it.'),
      'LOG_UNAVAILABLE',
      'Kafka at a:9092 cannot be used: Cannot read it.',
    ],
  ])('%s', (_, error, code, sentence) => {
    expect(kafkaError(error, WHERE)).toMatchObject({
      code,
      message: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
    });
  });
});

test('who named a wrong broker learns where it is named', () => {
  expect(kafkaError(connection('ECONNREFUSED'), WHERE).remedy).toContain('KAFKA_BROKERS or --kafka-brokers');
});

test('an error of our own comes through, however wrapped', () => {
  const ours = new ForetillError('CONFIG_INVALID', 'The token endpoint refuses us.', { remedy: '' });
  expect(kafkaError(ours, WHERE)).toBe(ours);
  expect(kafkaError(retried(ours), WHERE)).toBe(ours);
});

test('what kafkajs gets over by itself is told from what leaves it in doubt', () => {
  expect(
    [createErrorFromCode(6), connection('ECONNRESET'), retried(createErrorFromCode(7))].map(isPassing),
  ).toEqual([true, true, true]);
  expect(
    [new KafkaJSRequestTimeoutError!('timed out', {}), new TypeError('of its own')].map(isPassing),
  ).toEqual([false, false]);
  expect([45, 46, 47, 59, 6].map((code) => isSequenceLost(createErrorFromCode(code)))).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});
