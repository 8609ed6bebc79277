/** What of the stack runs and answers, and how a program is pointed at it. */
import { join } from 'node:path';
import type { Part } from './part.ts';
import { PARTS } from './parts.ts';
import { isAlive, readState } from './state-file.ts';
import type { StartedPart } from './state-file.ts';
import { STORE_USERNAME, storePasswordFile } from './store.ts';

export type PartStatus = {
  readonly name: string;
  readonly title: string;
  readonly running: boolean;
  /** It answers. */
  readonly ready: boolean;
  /** Null when it does not run, like the pid. */
  readonly address: string | null;
  readonly pid: number | null;
  readonly log: string;
  /** Why it cannot run here. */
  readonly lacking: string | null;
};

export type StackStatus = {
  readonly dir: string;
  /** Every part that can run here is ready. */
  readonly ready: boolean;
  readonly parts: readonly PartStatus[];
  /** For `foretill`, of the parts that run. The store's password is not among them: it lies in a file. */
  readonly environment: Readonly<Record<string, string>>;
  readonly storePasswordFile: string;
};

export async function stackStatus(dir: string): Promise<StackStatus> {
  const started = readState(dir).filter(isAlive);
  const parts = await Promise.all(
    PARTS.map((part) =>
      partStatus(part, { dir: partDir(dir, part), started: started.find(({ name }) => name === part.name) }),
    ),
  );
  return {
    dir,
    ready: parts.every(({ ready, lacking }) => ready || lacking !== null),
    parts,
    environment: environment(parts),
    storePasswordFile: storePasswordFile(join(dir, 'store')),
  };
}

export function partDir(dir: string, part: Part): string {
  return join(dir, part.name);
}

async function partStatus(
  part: Part,
  { dir, started }: { dir: string; started: StartedPart | undefined },
): Promise<PartStatus> {
  const running = started !== undefined;
  return {
    name: part.name,
    title: part.title,
    running,
    ready: running && (await part.isReady(started.port)),
    address: running ? part.address(started.port) : null,
    pid: running ? started.pid : null,
    log: part.logFile(dir),
    lacking: running ? null : part.lacking(),
  };
}

function environment(parts: readonly PartStatus[]): Record<string, string> {
  const address = (name: string): string | null => parts.find((part) => part.name === name)?.address ?? null;
  const store = address('store');
  const values: Record<string, string | null> = {
    KAFKA_BROKERS: address('kafka'),
    SCHEMA_REGISTRY_URL: address('registry'),
    CLICKHOUSE_URL: store,
    CLICKHOUSE_USER: store === null ? null : STORE_USERNAME,
  };
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
