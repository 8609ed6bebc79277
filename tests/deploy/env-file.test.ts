/** .env.example and the command in it, against the variables of docker-compose.yml. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCompose, readText, ROOT, variables } from './read-compose.ts';

const example = readText('.env.example');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'foretill-env-'));
  copyFileSync(join(ROOT, '.env.example'), join(dir, '.env.example'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function runItsCommand(): void {
  const command = /^#\s+node -e '([^']+)'$/m.exec(example)?.[1] ?? '';
  expect(command).not.toBe('');
  execFileSync(process.execPath, ['-e', command], { cwd: dir, stdio: 'pipe' });
}

function read(): Record<string, string> {
  return parseEnv(readFileSync(join(dir, '.env'), 'utf8')) as Record<string, string>;
}

describe('.env.example', () => {
  test('names each variable of the compose file, and no other', () => {
    const named = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect(named.toSorted()).toEqual([...new Set(variables().map(({ name }) => name))].toSorted());
  });

  test('shows the defaults', () => {
    const defaults = variables()
      .filter(({ operator }) => operator === ':-')
      .map(({ name, word }) => `#${name}=${word}`);
    expect(defaults.filter((line) => !example.split('\n').includes(line))).toEqual([]);
  });

  test('writes passwords that nobody can guess, all different, for this user alone', () => {
    runItsCommand();
    const written = read();
    const demanded = variables().filter(({ operator }) => operator === ':?');
    const secrets = new Set(demanded.map(({ name }) => written[name] ?? ''));
    expect(secrets.size).toBe(new Set(demanded.map(({ name }) => name)).size);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{48}$/);
    expect(statSync(join(dir, '.env')).mode & 0o777).toBe(0o600);
    expect(() => readCompose(written)).not.toThrow();
  });

  test('leaves a .env alone that is there', () => {
    runItsCommand();
    const before = read();
    expect(runItsCommand).toThrow(/EEXIST/);
    expect(read()).toEqual(before);
  });

  test('is the only one that git sees', () => {
    expect(readText('.gitignore').split('\n')).toContain('/.env');
  });
});
