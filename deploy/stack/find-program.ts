/** Where a program lies on the PATH; null when it does not. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export function findProgram(names: readonly string[], env: NodeJS.ProcessEnv = process.env): string | null {
  const places = (env['PATH'] ?? '').split(delimiter).filter((place) => place !== '');
  const candidates = places.flatMap((place) => names.map((name) => join(place, name)));
  return candidates.find((path) => isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
