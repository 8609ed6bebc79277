/**
 * One Kafka broker, its own controller (KRaft), on the loopback: for development, and for tests that break it.
 *
 *     const broker = await startBroker({ dir });
 *     await broker.kill();
 *     await broker.restart(); // same address, same data
 *     await broker.stop();
 *
 * Its directory keeps the data, so that a broker started there later goes on where this one stood.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ForetillError } from '../../src/errors.ts';
import { fetchArtifacts } from './artifacts.ts';
import type { Artifacts } from './artifacts.ts';
import { freePort } from './free-port.ts';
import { answersMetadata } from './metadata-request.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

/** A further way in, for tests of TLS and SASL. */
export type BrokerListener = {
  /** Upper case; also the prefix of its settings: `listener.name.<lower case>.…`. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly port?: number;
};

export type BrokerOptions = {
  /** Data, settings and log; made if missing. */
  readonly dir: string;
  /** Of the plain listener, which is always there. */
  readonly port?: number;
  readonly listeners?: readonly BrokerListener[];
  /** Laid over the settings chosen here. */
  readonly properties?: Readonly<Record<string, string>>;
  /** For the one formatting of the directory: `['--add-scram', 'SCRAM-SHA-256=[name=alice,password=…]']`. */
  readonly formatArguments?: readonly string[];
  /** For the JVM: `-Djava.security.auth.login.config=…`. */
  readonly javaOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly heapMegabytes?: number;
  /** It outlives this process. */
  readonly detached?: boolean;
  readonly onSpawn?: (pid: number) => void;
  /** Told of a first fetch of the programs. */
  readonly tell?: (line: string) => void;
};

export type Broker = Service & {
  /** `127.0.0.1:port` of the plain listener. */
  readonly address: string;
  /** The same of a listener asked for. */
  addressOf(listener: string): string;
};

/** Several times what an idle machine needs: tests run on busy ones. */
const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 30_000;
const HEAP_MEGABYTES = 768;
const REMEDY = 'Free memory and disk space, or give another directory, and start again.';

/** Resolves when it answers a metadata request. Errors: NOT_READY, ADDRESS_IN_USE. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { dir, listeners = [], javaOptions = [] } = options;
  const artifacts = await fetchArtifacts(options.tell === undefined ? {} : { tell: options.tell });
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const ports = new Map<string, number>();
  for (const listener of listeners) ports.set(listener.name, listener.port ?? (await freePort()));
  const settings = join(dir, 'server.properties');
  await writeFile(
    settings,
    properties({
      ...brokerProperties({ dir, port, listeners, ports, controllerPort: await freePort() }),
      ...options.properties,
    }),
    { mode: 0o600 },
  );
  await format(settings, artifacts, options);

  const service = await startService({
    name: 'Kafka',
    program: artifacts.java,
    args: [
      `-Xmx${options.heapMegabytes ?? HEAP_MEGABYTES}m`,
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      ...javaOptions,
      '-cp',
      artifacts.kafkaClassPath,
      'kafka.Kafka',
      settings,
    ],
    logFile: join(dir, 'broker.log'),
    isReady: () => answersMetadata(port),
    readyMsMax: READY_MS_MAX,
    stopMsMax: STOP_MS_MAX,
    remedy: REMEDY,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.detached === undefined ? {} : { detached: options.detached }),
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
  });
  return {
    ...service,
    address: `127.0.0.1:${port}`,
    addressOf(listener) {
      const itsPort = ports.get(listener);
      if (itsPort === undefined) throw new Error(`The broker was started without a listener ${listener}.`);
      return `127.0.0.1:${itsPort}`;
    },
  };
}

type Places = {
  readonly dir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly listeners: readonly BrokerListener[];
  readonly ports: ReadonlyMap<string, number>;
};

/** One node, quick to start, and nothing replicated because there is nowhere to replicate to. */
function brokerProperties({ dir, port, controllerPort, listeners, ports }: Places): Record<string, string> {
  const clients = [
    `PLAINTEXT://127.0.0.1:${port}`,
    ...listeners.map(({ name }) => `${name}://127.0.0.1:${ports.get(name)}`),
  ];
  const protocols = listeners.map(({ name, protocol }) => `${name}:${protocol}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...clients, `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
    'advertised.listeners': clients.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(','),
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // Tests let sessions expire; nobody wants to wait the usual 45 s for that.
    'group.min.session.timeout.ms': '1000',
    // A killed broker that starts again must first be given up for lost, after this time.
    'broker.session.timeout.ms': '5000',
    'broker.heartbeat.interval.ms': '1000',
  };
}

/** The file format of java.util.Properties: a backslash escapes. */
function properties(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('');
}

/** Gives the directory its cluster id, once: `formatted` says that it was done to the end. */
async function format(settings: string, artifacts: Artifacts, options: BrokerOptions): Promise<void> {
  const done = join(options.dir, 'formatted');
  if (existsSync(done)) return;
  await rm(join(options.dir, 'data'), { recursive: true, force: true });
  // A dash at its beginning would make it an option.
  const clusterId = `F${randomBytes(16).toString('base64url').slice(1)}`;
  const tool = ['-cp', artifacts.kafkaClassPath, 'kafka.tools.StorageTool', 'format'];
  const args = [...tool, '-t', clusterId, '-c', settings, ...(options.formatArguments ?? [])];
  try {
    await promisify(execFile)(artifacts.java, ['-Xmx128m', ...args]);
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    // Not the error's own message: it repeats the command line, and with it the passwords of --add-scram.
    throw new ForetillError(
      'NOT_READY',
      `Kafka could not format ${options.dir}:\n${(stderr + stdout).trim()}`,
      {
        remedy: REMEDY,
      },
    );
  }
  await writeFile(done, `${clusterId}\n`);
}
