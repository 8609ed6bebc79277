/** The Java that Kafka and the registry run on. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ForetillError } from '../../src/errors.ts';

const JAVA_MAJOR_MIN = 17;
const REMEDY = `Install a Java runtime, version ${JAVA_MAJOR_MIN} or later (Debian, Ubuntu: apt-get install openjdk-17-jre-headless), and have it on the PATH or in JAVA_HOME.`;

/** The program of JAVA_HOME, else of the PATH. Errors: NOT_READY when there is none, or it is too old. */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = env['JAVA_HOME'] ?? '';
  const java = home === '' ? 'java' : join(home, 'bin', 'java');
  const major = javaMajor(await printedVersion(java, env));
  if (major < JAVA_MAJOR_MIN) {
    throw new ForetillError(
      'NOT_READY',
      `The local stack needs Java ${JAVA_MAJOR_MIN}, and ${java} is ${major}.`,
      {
        remedy: REMEDY,
      },
    );
  }
  return java;
}

/** Java prints its version to the error output. */
async function printedVersion(java: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(java, ['-version'], { env });
    return stderr + stdout;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'there is none' : `${java} -version failed: ${(cause as Error).message.trim()}`;
    throw new ForetillError('NOT_READY', `The local stack needs Java ${JAVA_MAJOR_MIN} or later: ${what}.`, {
      remedy: REMEDY,
      cause,
    });
  }
}

/** `openjdk version "17.0.15" 2025-04-15` → 17; `java version "1.8.0_392"` → 8; 0 when it says nothing of the kind. */
export function javaMajor(printed: string): number {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(printed) ?? [];
  return Number((first === '1' ? second : first) ?? 0);
}
