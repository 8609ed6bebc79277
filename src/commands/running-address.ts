/** Where the system that runs on a data directory can be reached: `address` in it, for other commands. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'address';

export function announceAddress(dir: string, url: string): void {
  writeFileSync(join(dir, FILE), `${url}\n`);
}

export function withdrawAddress(dir: string): void {
  rmSync(join(dir, FILE), { force: true });
}

/** May be left over from a system that was killed; null: none was announced. */
export function announcedAddress(dir: string): string | null {
  try {
    return readFileSync(join(dir, FILE), 'utf8').trim() || null;
  } catch {
    return null;
  }
}
