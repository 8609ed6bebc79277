/**
 * A broker that wants TLS, a port that wants a password and a port of something else look alike from a failed connection:
 * it is closed, or nothing comes back. Asking them in person tells them apart.
 */
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ForetillError } from '../../../errors.ts';
import type { KafkaAddress } from './address.ts';

/** What speaks at a port, asked without a password. */
export type Speaker = 'kafka' | 'kafka over tls' | 'something over tls' | 'something else' | 'nobody';

/** The same error, or a better one for an address of ours that could not be used. */
export async function explainConnection(error: unknown, address: KafkaAddress): Promise<unknown> {
  const broker = failedAt(error, address);
  if (broker === null) return error;
  const explained = explain(await whoSpeaks(broker), broker, address);
  if (explained === null) return error;
  return new ForetillError('CONFIG_INVALID', explained.message, { remedy: explained.remedy, cause: error });
}

/** Which of our addresses failed, by a connection that was refused, broken or silent; null for any other failure. */
function failedAt(error: unknown, { brokers }: KafkaAddress): string | null {
  if (!(error instanceof ForetillError) || error.code !== 'LOG_UNAVAILABLE') return null;
  const { broker, type } = (error.cause ?? {}) as { broker?: unknown; type?: unknown };
  if (type !== undefined) return null;
  const [first = null] = brokers;
  return typeof broker === 'string' ? (brokers.find((each) => each === broker) ?? null) : first;
}

type Explained = { readonly message: string; readonly remedy: string };

function explain(speaker: Speaker, broker: string, { tls, sasl }: KafkaAddress): Explained | null {
  const overTls = speaker === 'kafka over tls' || speaker === 'something over tls';
  if (speaker === 'nobody') return null;
  if (overTls && tls === undefined) {
    return {
      message: `What listens at ${broker} wants TLS.`,
      remedy: 'Set KAFKA_TLS=true, and KAFKA_TLS_CA_FILE for an authority of your own.',
    };
  }
  if (speaker === 'something else' || speaker === 'something over tls') {
    return {
      message: `What listens at ${broker} is not Kafka.`,
      remedy: 'Correct KAFKA_BROKERS or --kafka-brokers: the port is usually 9092.',
    };
  }
  if (!overTls && tls !== undefined) {
    return {
      message: `Kafka at ${broker} does not speak TLS at this port.`,
      remedy: 'Use the port of a TLS listener, or leave KAFKA_TLS out.',
    };
  }
  return sasl === undefined
    ? {
        message: `Kafka at ${broker} closes the connection when we ask something without having signed in.`,
        remedy: 'Set KAFKA_SASL_MECHANISM with a user and a password, or use a port that needs none.',
      }
    : refusedSasl(sasl, broker);
}

/** A broker refuses a token by a polite answer that kafkajs takes for a yes, and closes the connection at the next word. */
function refusedSasl(sasl: NonNullable<KafkaAddress['sasl']>, broker: string): Explained | null {
  if (sasl.mechanism !== 'oauthbearer') return null;
  return {
    message: `Kafka at ${broker} refuses client ${sasl.clientId} by SASL OAUTHBEARER.`,
    remedy: 'Check that the brokers trust the tokens of KAFKA_OAUTH_TOKEN_URL, and KAFKA_OAUTH_SCOPE.',
  };
}

export async function whoSpeaks(broker: string): Promise<Speaker> {
  const plain = await ask(broker, connectPlain);
  if (plain === 'kafka' || plain === 'nobody') return plain;
  const overTls = await ask(broker, (place) => connectTls({ ...place, rejectUnauthorized: false }));
  if (overTls === 'kafka') return 'kafka over tls';
  return overTls === 'something' ? 'something over tls' : 'something else';
}

const ANSWER_MS_MAX = 2_000;
const CORRELATION_ID = 0x46_6f_72_65;
/** ApiVersions (18) version 0, without a client's name: every broker answers it, also before signing in. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0x46, 0x6f, 0x72, 0x65, 0xff, 0xff]);

type Place = { readonly host: string; readonly port: number };

/** 'nobody': no connection came about. */
function ask(broker: string, connect: (place: Place) => Socket): Promise<'kafka' | 'something' | 'nobody'> {
  const at = broker.lastIndexOf(':');
  const host = broker.slice(0, at).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    let connected = false;
    let received = Buffer.alloc(0);
    const socket = connect({ host, port: Number(broker.slice(at + 1)) });
    const end = (): void => {
      socket.destroy();
      const isKafka = received.length >= 8 && received.readInt32BE(4) === CORRELATION_ID;
      if (isKafka) resolve('kafka');
      else resolve(connected ? 'something' : 'nobody');
    };
    socket.setTimeout(ANSWER_MS_MAX, end);
    const ready = (): void => {
      connected = true;
      socket.write(API_VERSIONS);
    };
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', ready);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= 8) end();
    });
    socket.once('close', end);
    socket.once('error', end);
  });
}
