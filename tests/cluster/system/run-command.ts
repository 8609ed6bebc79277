/** A command of Foretill, run to its end. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const OUTPUT_BYTES_MAX = 64 * 1_048_576;
const RUN_MS_MAX = 60_000;

/** What it wrote on standard output. Rejects, with all it said, when it ends with another exit code than 0. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...environment },
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: RUN_MS_MAX,
  });
  return stdout;
}
