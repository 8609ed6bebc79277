/**
 * What every kafkajs client of ours is made with. Nothing is printed: kafkajs's own warnings and errors go to
 * `onWarning`, when it is given. Retries are few and short here, because those who call retry themselves, with an end.
 */
import { readFileSync } from 'node:fs';
import { logLevel } from 'kafkajs';
import type { KafkaConfig, LogEntry, SASLOptions } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import { ForetillError } from '../../../errors.ts';
import type { KafkaAddress, KafkaTls } from './address.ts';
import { registerCodecs } from './codecs.ts';
import { tellOfLeaderlessPartitions } from './metadata-answers.ts';
import { keepRequestTimersPositive } from './request-timers.ts';
import { createTokenSource } from './oauth-token.ts';

/** Throws CONFIG_INVALID when a file of certificates cannot be read. */
export function clientSettings(
  address: KafkaAddress,
  limits: KafkaLimits,
  onWarning?: (message: string) => void,
): KafkaConfig {
  keepRequestTimersPositive();
  tellOfLeaderlessPartitions();
  registerCodecs();
  const { tls, sasl } = address;
  return {
    brokers: [...address.brokers],
    clientId: address.clientId,
    connectionTimeout: limits.connectMsMax,
    authenticationTimeout: limits.requestMsMax,
    requestTimeout: limits.requestMsMax,
    enforceRequestTimeout: true,
    retry: {
      initialRetryTime: limits.retryDelayMs,
      maxRetryTime: limits.retryDelayMsMax,
      factor: 0.2,
      multiplier: 2,
      retries: RETRIES,
    },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => onWarning?.(sentence(entry)),
    ...(tls === undefined ? {} : { ssl: tlsOptions(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
  };
}

const RETRIES = 2;

function tlsOptions({ caFile, certFile, keyFile }: KafkaTls): Exclude<KafkaConfig['ssl'], undefined> {
  if (caFile === undefined && certFile === undefined) return true;
  return {
    ...(caFile === undefined ? {} : { ca: readPem(caFile, 'KAFKA_TLS_CA_FILE', 'CERTIFICATE') }),
    ...(certFile === undefined ? {} : { cert: readPem(certFile, 'KAFKA_TLS_CERT_FILE', 'CERTIFICATE') }),
    ...(keyFile === undefined ? {} : { key: readPem(keyFile, 'KAFKA_TLS_KEY_FILE', 'PRIVATE KEY') }),
  };
}

function readPem(file: string, name: string, label: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ForetillError('CONFIG_INVALID', `${name} ${file} cannot be read.`, {
      remedy: 'Name a file that exists and that this user may read.',
      cause: error,
    });
  }
  if (new RegExp(`^-----BEGIN (?:[A-Z]+ )*${label}-----`, 'm').test(text)) return text;
  throw new ForetillError(
    'CONFIG_INVALID',
    `${name} ${file} holds no PEM text of a ${label.toLowerCase()}.`,
    {
      remedy: `Name a file with a line -----BEGIN ${label}-----.`,
    },
  );
}

function saslOptions(sasl: Exclude<KafkaAddress['sasl'], undefined>): SASLOptions {
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl };
  return { mechanism: 'oauthbearer', oauthBearerProvider: createTokenSource(sasl) };
}

function sentence({ log }: LogEntry): string {
  const { message, broker } = log as { message: string; broker?: unknown };
  return typeof broker === 'string' ? `${message} (${broker})` : message;
}
