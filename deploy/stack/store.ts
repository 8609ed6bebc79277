/**
 * The embedded ClickHouse engine as a server for several processes: one process owns it and the others are pointed at
 * it by address, as they would be at a ClickHouse server.
 *
 * Its password is made once and kept in a file of its directory that only this user can read.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answersHttp } from './answers-http.ts';
import { freePort } from './free-port.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

export type StoreOptions = {
  /** Tables, password and log; made if missing. */
  readonly dir: string;
  readonly port?: number;
  /** It outlives this process. */
  readonly detached?: boolean;
  readonly onSpawn?: (pid: number) => void;
};

export type StoreServer = Service & {
  readonly url: string;
  readonly username: string;
  readonly password: string;
};

const PROGRAM = fileURLToPath(new URL('store-process.ts', import.meta.url));
/** It waits up to 15 s for an engine before it to leave the directory. */
const READY_MS_MAX = 30_000;
/** An engine is given 10 s for the statements in work. */
const STOP_MS_MAX = 15_000;

/** Of the engine, wherever it runs. */
export const STORE_USERNAME = 'foretill';

export function storePasswordFile(dir: string): string {
  return join(dir, 'password');
}

/** Resolves when it answers. Errors: NOT_READY, ADDRESS_IN_USE. */
export async function startStore(options: StoreOptions): Promise<StoreServer> {
  const { dir } = options;
  await mkdir(dir, { recursive: true });
  const passwordFile = storePasswordFile(dir);
  if (!existsSync(passwordFile))
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const service = await startService({
    name: 'The store',
    program: process.execPath,
    args: [PROGRAM, dir, String(port)],
    logFile: join(dir, 'store.log'),
    isReady: () => answersHttp(`${url}/ping`),
    readyMsMax: READY_MS_MAX,
    stopMsMax: STOP_MS_MAX,
    remedy: 'Free memory and disk space, or give another directory, and start again.',
    isGroup: true,
    ...(options.detached === undefined ? {} : { detached: options.detached }),
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
  });
  return { ...service, url, username: STORE_USERNAME, password: await readFile(passwordFile, 'utf8') };
}
