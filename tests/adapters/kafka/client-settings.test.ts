import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logLevel } from 'kafkajs';
import { afterAll, describe, expect, test } from 'vitest';
import type { KafkaAddress } from '../../../src/adapters/kafka/client/address.ts';
import { clientSettings } from '../../../src/adapters/kafka/client/client-settings.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'foretill-kafka-settings-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const LIMITS = DEFAULT_CONFIG.kafka;
const address = (more: Partial<KafkaAddress>): KafkaAddress => ({
  brokers: ['a:9092'],
  clientId: 'foretill',
  namespace: '',
  ...more,
});

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

describe('the settings of a client', () => {
  test('take time-outs and pauses from the limits', () => {
    expect(clientSettings(address({}), LIMITS)).toMatchObject({
      brokers: ['a:9092'],
      connectionTimeout: LIMITS.connectMsMax,
      requestTimeout: LIMITS.requestMsMax,
      retry: { initialRetryTime: LIMITS.retryDelayMs, maxRetryTime: LIMITS.retryDelayMsMax },
    });
  });

  test('hold what is in the files for TLS', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n';
    const tls = {
      caFile: file('ca.pem', `Subject: some text before\n${certificate}`),
      certFile: file('cert.pem', certificate),
      keyFile: file('key.pem', key),
    };
    expect(clientSettings(address({ tls }), LIMITS).ssl).toEqual({
      ca: `Subject: some text before\n${certificate}`,
      cert: certificate,
      key,
    });
    expect(clientSettings(address({ tls: {} }), LIMITS).ssl).toBe(true);
    expect(clientSettings(address({}), LIMITS).ssl).toBeUndefined();
  });

  test.each([
    ['is missing', () => join(dir, 'none.pem'), /KAFKA_TLS_CA_FILE .*none\.pem cannot be read/],
    ['is a directory', () => dir, /KAFKA_TLS_CA_FILE .* cannot be read/],
    ['is something else', () => file('page.html', '<html>'), /page\.html holds no PEM text of a certificate/],
  ])('name a file of authorities that %s', (_, caFile, sentence) => {
    const refused = (): unknown => clientSettings(address({ tls: { caFile: caFile() } }), LIMITS);
    expect(refused).toThrow(sentence);
    expect(refused).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('hand kafkajs’s warnings on instead of printing them', () => {
    const heard: string[] = [];
    const { logCreator } = clientSettings(address({}), LIMITS, (message) => heard.push(message));
    logCreator?.(logLevel.WARN)({
      namespace: 'Connection',
      level: logLevel.WARN,
      label: 'WARN',
      log: { timestamp: '', message: 'Connection timeout', broker: 'a:9092' },
    });
    expect(heard).toEqual(['Connection timeout (a:9092)']);
  });
});
