/**
 * A schema registry (Apicurio) with Confluent's API, on the loopback. Its schemas lie in a file (H2) of its directory,
 * each written before it is acknowledged, so that it knows them and their ids after a restart and after a kill.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answersHttp } from './answers-http.ts';
import { fetchArtifacts } from './artifacts.ts';
import { freePort } from './free-port.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

export type RegistryOptions = {
  /** Schemas and log; made if missing. */
  readonly dir: string;
  readonly port?: number;
  /** Of Quarkus and Apicurio, laid over those chosen here. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly heapMegabytes?: number;
  /** It outlives this process. */
  readonly detached?: boolean;
  readonly onSpawn?: (pid: number) => void;
  /** Told of a first fetch of the program. */
  readonly tell?: (line: string) => void;
};

export type Registry = Service & {
  /** Of its Confluent-compatible API. */
  readonly url: string;
};

/** Several times what an idle machine needs: tests run on busy ones. */
const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 30_000;
const HEAP_MEGABYTES = 384;

/** Resolves when it answers. Errors: NOT_READY, ADDRESS_IN_USE. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { dir } = options;
  const artifacts = await fetchArtifacts(options.tell === undefined ? {} : { tell: options.tell });
  await mkdir(dir, { recursive: true });
  // A start that was ended while it made the tables may have made a part of them.
  const made = join(dir, 'made');
  if (!existsSync(made)) await rm(`${databasePath(dir)}.mv.db`, { force: true });
  const port = options.port ?? (await freePort());
  const url = registryUrl(port);
  const settings = { ...registryProperties(dir, port), ...options.properties };
  const service = await startService({
    name: 'The schema registry',
    program: artifacts.java,
    args: [
      `-Xmx${options.heapMegabytes ?? HEAP_MEGABYTES}m`,
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      '-jar',
      artifacts.registryJar,
    ],
    logFile: join(dir, 'registry.log'),
    isReady: () => answersHttp(`${url}/subjects`),
    readyMsMax: READY_MS_MAX,
    stopMsMax: STOP_MS_MAX,
    remedy: 'Free memory and disk space, or give another directory, and start again.',
    ...(options.detached === undefined ? {} : { detached: options.detached }),
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
  });
  await writeFile(made, '');
  return { ...service, url };
}

export function registryUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

function databasePath(dir: string): string {
  return join(dir, 'schemas');
}

/** WRITE_DELAY: H2 otherwise acknowledges up to half a second before it writes. */
function registryProperties(dir: string, port: number): Record<string, string> {
  return {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(port),
    'quarkus.http.access-log.enabled': 'false',
    'apicurio.datasource.url': `jdbc:h2:file:${databasePath(dir)};WRITE_DELAY=0`,
    'apicurio.datasource.jdbc.initial-size': '2',
    'apicurio.datasource.jdbc.min-size': '2',
    'apicurio.datasource.jdbc.max-size': '20',
    // On a busy machine the file may take longer to make than the usual 5 s.
    'quarkus.datasource.h2.jdbc.acquisition-timeout': '60',
  };
}
