import { describe, expect, test } from 'vitest';
import { kafkaAddressFrom } from '../../../src/adapters/kafka/client/address.ts';

const BROKERS = { KAFKA_BROKERS: 'a:9092' };
const PLAIN = {
  ...BROKERS,
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_USERNAME: 'ann',
  KAFKA_PASSWORD: 'pass-word',
};
const OAUTH = {
  ...BROKERS,
  KAFKA_SASL_MECHANISM: 'oauthbearer',
  KAFKA_OAUTH_TOKEN_URL: 'https://login.example/token',
  KAFKA_OAUTH_CLIENT_ID: 'foretill',
  KAFKA_OAUTH_CLIENT_SECRET: 'pass-word',
};

describe('the address of Kafka', () => {
  test.each([
    ['nothing is named', {}, {}, null],
    ['an empty variable is not set', { KAFKA_BROKERS: ' ' }, {}, null],
    [
      'brokers alone',
      { KAFKA_BROKERS: 'a:9092, b.example:19092,,[::1]:9092' },
      {},
      { brokers: ['a:9092', 'b.example:19092', '[::1]:9092'], clientId: 'foretill', namespace: '' },
    ],
    [
      'an override wins',
      { KAFKA_BROKERS: 'a:9092', FORETILL_NAMESPACE: 'north' },
      { brokers: 'b:1', namespace: 'south', clientId: 'till-7' },
      { brokers: ['b:1'], clientId: 'till-7', namespace: 'south' },
    ],
    [
      'TLS with a file is TLS',
      { ...BROKERS, KAFKA_TLS_CA_FILE: '/ca.pem', FORETILL_NAMESPACE: 'north' },
      {},
      { brokers: ['a:9092'], clientId: 'foretill', namespace: 'north', tls: { caFile: '/ca.pem' } },
    ],
    [
      'TLS alone trusts the usual authorities',
      { ...BROKERS, KAFKA_TLS: 'TRUE', KAFKA_REPLICATION_FACTOR: '3' },
      {},
      { brokers: ['a:9092'], clientId: 'foretill', namespace: '', replicationFactor: 3, tls: {} },
    ],
    [
      'a certificate of our own',
      { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: '/c.pem', KAFKA_TLS_KEY_FILE: '/k.pem' },
      {},
      {
        brokers: ['a:9092'],
        clientId: 'foretill',
        namespace: '',
        tls: { certFile: '/c.pem', keyFile: '/k.pem' },
      },
    ],
    [
      'a password',
      { ...PLAIN, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_TLS: 'false' },
      {},
      {
        brokers: ['a:9092'],
        clientId: 'foretill',
        namespace: '',
        sasl: { mechanism: 'scram-sha-512', username: 'ann', password: 'pass-word' },
      },
    ],
    [
      'a token',
      { ...OAUTH, KAFKA_OAUTH_SCOPE: 'kafka' },
      {},
      {
        brokers: ['a:9092'],
        clientId: 'foretill',
        namespace: '',
        sasl: {
          mechanism: 'oauthbearer',
          tokenUrl: 'https://login.example/token',
          clientId: 'foretill',
          clientSecret: 'pass-word',
          scope: 'kafka',
        },
      },
    ],
  ])('%s', (_, environment, overrides, expected) => {
    expect(kafkaAddressFrom(environment, overrides)).toEqual(expected);
  });

  test.each([
    ['a password in the list', { KAFKA_BROKERS: 'bob:pass-word@kafka:9092' }, /has an @ in it/],
    ['a half of one with a comma', { KAFKA_BROKERS: 'bob:pass-word,1@kafka:9092' }, /has an @ in it/],
    ['a password that looks like a host', { KAFKA_BROKERS: 'pass-word@kafka:9092' }, /has an @ in it/],
    [
      'a password in the place for tokens',
      { ...OAUTH, KAFKA_OAUTH_TOKEN_URL: 'https://bob:pass-word@login.example/token' },
      /has a user or a password/,
    ],
    ['kafka', { KAFKA_BROKERS: 'kafka' }, /"kafka" is not of the form host:port/],
    ['kafka:0', { KAFKA_BROKERS: 'kafka:0' }, /"kafka:0"/],
    ['kafka:65536', { KAFKA_BROKERS: 'a:1,kafka:65536' }, /"kafka:65536"/],
    ['a URL', { KAFKA_BROKERS: 'http://kafka:9092' }, /"http:\/\/kafka:9092"/],
    ['only commas', { KAFKA_BROKERS: ',,' }, /list of Kafka brokers is empty/],
    ['TLS maybe', { ...BROKERS, KAFKA_TLS: 'maybe' }, /KAFKA_TLS is "maybe"/],
    [
      'TLS off, with a file',
      { ...BROKERS, KAFKA_TLS: 'false', KAFKA_TLS_CA_FILE: '/ca.pem' },
      /KAFKA_TLS is false/,
    ],
    ['a certificate without its key', { ...BROKERS, KAFKA_TLS_CERT_FILE: '/c.pem' }, /only one half/],
    ['an unknown mechanism', { ...PLAIN, KAFKA_SASL_MECHANISM: 'gssapi' }, /"gssapi" is unknown/],
    ['no user', { ...PLAIN, KAFKA_USERNAME: '' }, /KAFKA_USERNAME is not set/],
    ['no password', { ...PLAIN, KAFKA_PASSWORD: '' }, /KAFKA_PASSWORD is not set/],
    ['a password without a mechanism', { ...PLAIN, KAFKA_SASL_MECHANISM: '' }, /KAFKA_USERNAME is set, but/],
    ['no place for tokens', { ...OAUTH, KAFKA_OAUTH_TOKEN_URL: '' }, /KAFKA_OAUTH_TOKEN_URL is not set/],
    ['a wrong place for tokens', { ...OAUTH, KAFKA_OAUTH_TOKEN_URL: 'login' }, /is not a URL/],
    ['no secret', { ...OAUTH, KAFKA_OAUTH_CLIENT_SECRET: '' }, /KAFKA_OAUTH_CLIENT_SECRET is not set/],
    ['no copies', { ...BROKERS, KAFKA_REPLICATION_FACTOR: '0' }, /KAFKA_REPLICATION_FACTOR is "0"/],
    ['a namespace that is no name', { ...BROKERS, FORETILL_NAMESPACE: 'north/west' }, /"north\/west"/],
    ['a namespace too long', { ...BROKERS, FORETILL_NAMESPACE: 'n'.repeat(65) }, /cannot begin the names/],
  ])('is refused: %s', (_, environment, sentence) => {
    const refused = (): unknown => kafkaAddressFrom(environment);
    expect(refused).toThrow(sentence);
    expect(refused).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(refused).not.toThrow(/pass-word/);
  });
});
