/**
 * Kafka and the schema registry, fetched by Maven from what pom.xml pins, once for every version of that file, into
 * `FORETILL_STACK_CACHE` (the user's cache directory). About 165 MB.
 *
 * A fetch goes into a folder of its own that is moved into place when it is whole: a half one never counts, and two at
 * the same time do no harm.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ForetillError } from '../../src/errors.ts';
import { findProgram } from './find-program.ts';
import { findJava } from './java.ts';

export type Artifacts = {
  readonly java: string;
  /** For `java -cp`. */
  readonly kafkaClassPath: string;
  readonly registryJar: string;
};

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
export const MAVEN_REMEDY =
  'Install Maven (Debian, Ubuntu: apt-get install maven), or point FORETILL_STACK_CACHE at a cache that was filled elsewhere.';
const TOLD_EVERY_MS = 5_000;
const MAVEN_LINES_KEPT_MAX = 12;
/** What a killed fetch left behind is removed when it is this old. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * `tell` gets a line when a fetch begins, every few seconds of it, and at its end. Errors: NOT_READY without Java or
 * Maven, or when the fetch fails.
 */
export async function fetchArtifacts(
  options: { tell?: (line: string) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<Artifacts> {
  const { tell = () => {}, env = process.env } = options;
  const java = await findJava(env);
  const dir = artifactsDir(env);
  if (!existsSync(dir)) await fetchInto(dir, { tell, env });
  return { java, kafkaClassPath: join(dir, 'kafka', '*'), registryJar: registryJar(join(dir, 'registry')) };
}

/** Either they are here, or Maven is. */
export function canFetch(env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(artifactsDir(env)) || findMaven(env) !== null;
}

function findMaven(env: NodeJS.ProcessEnv): string | null {
  return findProgram(['mvn'], env);
}

function artifactsDir(env: NodeJS.ProcessEnv): string {
  const key = createHash('sha256').update(readFileSync(POM)).digest('hex');
  return join(cacheDir(env), key.slice(0, 16));
}

function cacheDir(env: NodeJS.ProcessEnv): string {
  const named = env['FORETILL_STACK_CACHE'] ?? '';
  if (named !== '') return named;
  const caches = env['XDG_CACHE_HOME'] ?? '';
  return join(caches === '' ? join(homedir(), '.cache') : caches, 'foretill', 'stack');
}

type Fetch = {
  readonly tell: (line: string) => void;
  readonly env: NodeJS.ProcessEnv;
};

async function fetchInto(dir: string, { tell, env }: Fetch): Promise<void> {
  const cache = dirname(dir);
  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const part = `${dir}.${randomBytes(6).toString('hex')}.part`;
  tell(`Fetching Kafka and the schema registry with Maven into ${cache} (about 165 MB, once)…`);
  const startedMs = performance.now();
  try {
    await runMaven(part, { tell, env });
    await rename(part, dir).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(dir)) throw error;
    });
    tell(`Fetched in ${Math.round((performance.now() - startedMs) / 1_000)} s.`);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function removeAbandoned(cache: string): Promise<void> {
  const oldest = Date.now() - ABANDONED_AFTER_MS;
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    if (name.endsWith('.part') && (await stat(path)).mtimeMs < oldest)
      await rm(path, { recursive: true, force: true });
  }
}

async function runMaven(part: string, { tell, env }: Fetch): Promise<void> {
  const args = ['-B', '-Dstyle.color=never', '-f', POM, `-Dstack.dir=${part}`, 'process-resources'];
  const maven = findMaven(env);
  if (maven === null) {
    throw new ForetillError('NOT_READY', 'Maven, which fetches the local stack, is not on the PATH.', {
      remedy: MAVEN_REMEDY,
    });
  }
  const child = spawn(maven, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void child.kill();
  process.once('exit', end);
  const last: string[] = [];
  let files = 0;
  const read = (line: string): void => {
    if (line.includes('Downloaded from ')) files++;
    if (line.includes('Downloading from ') || line.includes('Downloaded from ')) return;
    if (last.push(line) > MAVEN_LINES_KEPT_MAX) last.shift();
  };
  createInterface(child.stdout).on('line', read);
  createInterface(child.stderr).on('line', read);
  const startedMs = performance.now();
  const ticking = setInterval(
    () => tell(`  ${Math.round((performance.now() - startedMs) / 1_000)} s, ${files} files…`),
    TOLD_EVERY_MS,
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    const code = await ended.catch((cause: unknown) => {
      throw new ForetillError('NOT_READY', `Maven could not be started: ${(cause as Error).message}.`, {
        remedy: MAVEN_REMEDY,
        cause,
      });
    });
    if (code !== 0) {
      throw new ForetillError('NOT_READY', `Maven could not fetch the local stack:\n${last.join('\n')}`, {
        remedy:
          'Check the network, or the mirror and proxy in ~/.m2/settings.xml, and start again: what came already is kept.',
      });
    }
  } finally {
    clearInterval(ticking);
    process.off('exit', end);
  }
}

function registryJar(dir: string): string {
  const jar = readdirSync(dir).find((name) => name.endsWith('-runner.jar'));
  if (jar === undefined) {
    throw new ForetillError('NOT_READY', `The schema registry in ${dir} has no program.`, {
      remedy: `Delete ${dir.slice(0, -'/registry'.length)} and start again: it is fetched anew.`,
    });
  }
  return join(dir, jar);
}
