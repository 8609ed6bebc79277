/**
 * Owns the embedded engine on a fixed port: `node store-process.ts DIR PORT`. The password lies in the directory. Ends
 * on SIGTERM or SIGINT after the statements in work, and with code 1 when the engine is down for good.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import { reportError } from '../../src/commands/report-error.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';

const [dir = '', port = ''] = process.argv.slice(2);

try {
  const engine = await startEmbeddedEngine({
    dir: join(dir, 'clickhouse'),
    limits: DEFAULT_CONFIG.engine,
    port: Number(port),
    password: await readFile(join(dir, 'password'), 'utf8'),
    onExit: ({ restarting, ...death }) => {
      process.stderr.write(`The engine ended unexpectedly: ${JSON.stringify(death)}\n`);
      if (!restarting) process.exit(1);
    },
  });
  process.stdout.write(`ClickHouse answers at ${engine.url}\n`);
  const stop = (): void => void engine.stop().then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
} catch (error) {
  process.exit(reportError(error));
}
