/** Every way into a secured broker, and what is said to whom it does not let in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaAddress } from '../../src/adapters/kafka/client/address.ts';
import { logOpener } from './open-log.ts';
import { startSecuredBroker, USERS } from './secured-broker.ts';
import type { SecuredBroker } from './secured-broker.ts';

type Tls = NonNullable<KafkaAddress['tls']>;
type Sasl = NonNullable<KafkaAddress['sasl']>;
type Way = { readonly listener: string; readonly tls?: Tls; readonly sasl?: Sasl };

const open = logOpener();
let dir: string;
let broker: SecuredBroker;
let tokens: Server;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-kafka-security-'));
  broker = await startSecuredBroker(dir);
  tokens = createServer((request, response) => {
    const scope = request.url?.slice(1);
    response.end(JSON.stringify({ access_token: unsignedToken(scope ?? ''), expires_in: 300 }));
  });
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  tokens.close();
  await broker.stop();
  await rm(dir, { recursive: true, force: true });
});

/** What Kafka's validator for development takes: RFC 7515, appendix A.5. */
function unsignedToken(scope: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { sub: 'till', iat: seconds, exp: seconds + 300, scope };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode(claims)}.`;
}

const password = (
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
  user: string,
  secret: string,
): Sasl => ({
  mechanism,
  username: user,
  password: secret,
});
const token = (scope: string): Sasl => ({
  mechanism: 'oauthbearer',
  tokenUrl: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/${scope}`,
  clientId: 'till',
  clientSecret: 'till-secret',
});
const trusted = (): Tls => ({ caFile: broker.certificates.caFile });
const client = (): Tls => ({
  ...trusted(),
  certFile: broker.certificates.clientCertFile,
  keyFile: broker.certificates.clientKeyFile,
});

function openBy({ listener, ...way }: Way, options: { at?: string } = {}): ReturnType<typeof open> {
  const limits = { connectMsMax: 3_000, requestMsMax: 3_000 };
  return open({ brokers: [options.at ?? broker.addressOf(listener)], ...way, limits });
}

describe('lets in', () => {
  test.each<[string, () => Way]>([
    ['TLS', () => ({ listener: 'TLS', tls: trusted() })],
    ['TLS with a certificate of the client', () => ({ listener: 'MUTUAL', tls: client() })],
    ['SASL PLAIN', () => ({ listener: 'PLAIN', sasl: password('plain', 'alice', USERS.alice) })],
    [
      'SASL PLAIN over TLS',
      () => ({ listener: 'PLAINTLS', tls: trusted(), sasl: password('plain', 'alice', USERS.alice) }),
    ],
    ['SCRAM-SHA-256', () => ({ listener: 'SCRAM', sasl: password('scram-sha-256', 'alice', USERS.alice) })],
    ['SCRAM-SHA-512', () => ({ listener: 'SCRAM', sasl: password('scram-sha-512', 'alice', USERS.alice) })],
    ['OAUTHBEARER', () => ({ listener: 'OAUTH', sasl: token('kafka') })],
  ])('%s: writes, reads and commits', async (_, way) => {
    const { log } = await openBy(way());
    await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    await log.append('sales', [{ key: Buffer.from('k'), value: Buffer.from('sold') }]);
    const read: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const options = {
        group: 'readers',
        topics: ['sales'],
        startFrom: 'earliest',
        batchRecordsMax: 10,
      } as const;
      const joining = log.join(options, {
        async eachBatch({ topic, partition, records }) {
          read.push(...records.map(({ value }) => String(value)));
          await (await joining).commit([{ topic, partition, offset: 1, metadata: 'here' }]);
          resolve();
        },
        onCrash: reject,
      });
      joining.catch(reject);
    });
    expect(read).toEqual(['sold']);
    expect(await log.committed('readers', 'sales')).toEqual(new Map([[0, { offset: 1, metadata: 'here' }]]));
  });
});

describe('says to whom it does not let in', () => {
  test.each<[string, () => Way, RegExp, RegExp]>([
    [
      'no TLS where it is wanted',
      () => ({ listener: 'TLS' }),
      /^What listens at 127\.0\.0\.1:\d+ wants TLS\.$/,
      /KAFKA_TLS=true/,
    ],
    [
      'TLS where there is none',
      () => ({ listener: 'PLAIN', tls: trusted() }),
      /does not speak TLS/,
      /leave KAFKA_TLS out/,
    ],
    [
      'an authority that is not ours',
      () => ({ listener: 'TLS', tls: { caFile: broker.certificates.strangeCaFile } }),
      /comes from an authority that we do not know/,
      /KAFKA_TLS_CA_FILE/,
    ],
    [
      'no authority at all',
      () => ({ listener: 'TLS', tls: {} }),
      /comes from an authority that we do not know/,
      /KAFKA_TLS_CA_FILE/,
    ],
    [
      'no certificate where one is wanted',
      () => ({ listener: 'MUTUAL', tls: trusted() }),
      /does not accept our certificate, or wants one/,
      /KAFKA_TLS_CERT_FILE/,
    ],
    [
      'a wrong password',
      () => ({ listener: 'PLAIN', sasl: password('plain', 'alice', 'wr0ng-secret') }),
      /refuses user alice by SASL PLAIN/,
      /KAFKA_PASSWORD/,
    ],
    [
      'a wrong password by SCRAM',
      () => ({ listener: 'SCRAM', sasl: password('scram-sha-512', 'alice', 'wr0ng-secret') }),
      /refuses user alice by SASL SCRAM-SHA-512/,
      /KAFKA_PASSWORD/,
    ],
    [
      'an unknown user by SCRAM',
      () => ({ listener: 'SCRAM', sasl: password('scram-sha-256', 'carol', 'wr0ng-secret') }),
      /refuses user carol by SASL SCRAM-SHA-256/,
      /KAFKA_USERNAME/,
    ],
    [
      'another mechanism',
      () => ({ listener: 'PLAIN', sasl: password('scram-sha-256', 'alice', USERS.alice) }),
      /does not offer SASL SCRAM-SHA-256/,
      /KAFKA_SASL_MECHANISM/,
    ],
    [
      'no password where one is wanted',
      () => ({ listener: 'SCRAM' }),
      /closes the connection when we ask something without having signed in/,
      /KAFKA_SASL_MECHANISM/,
    ],
    [
      'a token without the scope',
      () => ({ listener: 'OAUTH', sasl: token('other') }),
      /refuses client till by SASL OAUTHBEARER/,
      /KAFKA_OAUTH_SCOPE/,
    ],
  ])('%s', async (_, way, sentence, remedy) => {
    const error = await openBy(way()).catch((failed: unknown) => failed);
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(sentence),
      remedy: expect.stringMatching(remedy),
    });
    expect(everythingIn(error)).not.toMatch(/wr0ng-secret|alice-secret|till-secret|eyJ/);
  });

  test('a name that is not in the certificate', async () => {
    const at = broker.addressOf('TLS').replace('127.0.0.1', 'localhost');
    await expect(openBy({ listener: 'TLS', tls: trusted() }, { at })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/made out to another name/),
    });
  });

  test('an address that the broker tells, and that is of no use here', async () => {
    await expect(openBy({ listener: 'AWAY' })).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: expect.stringContaining(
        `names ${broker.awayAddress} as a broker, which cannot be reached from here`,
      ),
      remedy: expect.stringContaining('advertised.listeners'),
    });
  });

  test('a user without rights, whatever he tries', async () => {
    const { log, address } = await openBy({
      listener: 'PLAIN',
      sasl: password('plain', 'alice', USERS.alice),
    });
    await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    const { log: bobs } = await open({
      ...address,
      sasl: password('plain', 'bob', USERS.bob),
    });
    const handler = { eachBatch: async () => undefined, onCrash: () => undefined };
    const tries: [string, () => Promise<unknown>][] = [
      ['append', () => bobs.append('sales', [{ key: null, value: Buffer.from('sold') }])],
      ['offsets', () => bobs.offsets('sales')],
      ['ensureTopics', () => bobs.ensureTopics([{ name: 'sales', partitions: 1 }])],
      ['tail', () => bobs.tail({ topic: 'sales', from: 'earliest', batchRecordsMax: 1 }, handler)],
    ];
    for (const [what, attempt] of tries) {
      await expect(attempt(), what).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^Kafka does not allow user bob to use topic sales\.$/),
      });
    }
    expect(await bobs.topics()).toEqual([]);
    await expect(bobs.committed('readers', 'sales')).rejects.toMatchObject({
      message: 'No broker answers for group readers at the moment, or user bob may not use it.',
    });
  });
});

/** Of an error and all that caused it. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${everythingIn(error.cause)}`;
}
