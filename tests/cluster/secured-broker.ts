/** A broker with every way in: TLS, with and without a client's certificate, and each SASL mechanism; and rights to go with them. */
import { join } from 'node:path';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker, BrokerListener } from '../../deploy/stack/broker.ts';
import { freePort } from '../../deploy/stack/free-port.ts';
import { makeCertificates } from './certificates.ts';
import type { Certificates } from './certificates.ts';

export const USERS = { alice: 'alice-secret', bob: 'bob-secret' };

const PROTOCOLS = {
  TLS: 'SSL',
  MUTUAL: 'SSL',
  PLAIN: 'SASL_PLAINTEXT',
  PLAINTLS: 'SASL_SSL',
  SCRAM: 'SASL_PLAINTEXT',
  OAUTH: 'SASL_PLAINTEXT',
  /** Tells its clients to come to a port where nothing listens. */
  AWAY: 'PLAINTEXT',
} as const;

export type SecuredBroker = Broker & {
  readonly certificates: Certificates;
  /** What AWAY tells its clients. */
  readonly awayAddress: string;
};

/**
 * Alice may do everything, as may who comes without a name; Bob is known and may do nothing. Tokens are taken unsigned,
 * when they have the scope "kafka".
 */
export async function startSecuredBroker(dir: string): Promise<SecuredBroker> {
  const certificates = await makeCertificates(dir);
  const plainPort = await freePort();
  const awayAddress = `127.0.0.1:${await freePort()}`;
  const listeners: BrokerListener[] = [];
  for (const [name, protocol] of Object.entries(PROTOCOLS))
    listeners.push({ name, protocol, port: await freePort() });
  const advertised = listeners.map(
    ({ name, port }) => `${name}://${name === 'AWAY' ? awayAddress : `127.0.0.1:${port}`}`,
  );
  const broker = await startBroker({
    dir: join(dir, 'broker'),
    port: plainPort,
    listeners,
    formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=alice,password=${USERS.alice}]`,
    ]),
    properties: {
      'advertised.listeners': [`PLAINTEXT://127.0.0.1:${plainPort}`, ...advertised].join(','),
      ...tlsProperties(certificates),
      ...saslProperties(),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:alice;User:till;User:CN=client',
    },
  });
  return { ...broker, certificates, awayAddress };
}

function tlsProperties({ brokerFile, caFile }: Certificates): Record<string, string> {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': brokerFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'listener.name.mutual.ssl.client.auth': 'required',
  };
}

function saslProperties(): Record<string, string> {
  const security = 'org.apache.kafka.common.security';
  const users = Object.entries(USERS).map(([name, password]) => `user_${name}="${password}"`);
  const plain = `${security}.plain.PlainLoginModule required ${users.join(' ')};`;
  const scram = `${security}.scram.ScramLoginModule required;`;
  return {
    'listener.name.plain.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.plain.plain.sasl.jaas.config': plain,
    'listener.name.plaintls.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.plaintls.plain.sasl.jaas.config': plain,
    'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.scram.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.scram.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
    'listener.name.oauth.oauthbearer.sasl.jaas.config':
      `${security}.oauthbearer.OAuthBearerLoginModule required ` +
      'unsecuredLoginStringClaim_sub="broker" unsecuredValidatorRequiredScope="kafka";',
  };
}
