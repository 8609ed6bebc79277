/** A platform in a directory of its own that is gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config.ts';
import { openPlatform } from '../../src/platform.ts';
import type { Platform } from '../../src/platform.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

export async function withPlatform<T>(
  options: { readonly config: Config; readonly clock: Clock },
  work: (platform: Platform) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-bench-'));
  try {
    const platform = await openPlatform({ ...options, dir, telemetry: createTelemetry({ level: 'warn' }) });
    try {
      return await work(platform);
    } finally {
      await platform.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
