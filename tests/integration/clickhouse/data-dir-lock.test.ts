import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/adapters/data-dir-lock.ts';
import { kill, runProgram } from './process-fixture.ts';

type Answer = { locked: boolean; code?: string; message?: string; remedy?: string };

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const hold = (command: string, path = dir) =>
  runProgram<Answer>(new URL('./lock-holder.ts', import.meta.url), [path, command]);

describe('two processes', () => {
  it('cannot hold one directory, and the second is told who does', async () => {
    const first = await hold('foretill demo --speed 60');
    const second = await hold('foretill import');
    expect(first.first).toEqual({ locked: true });
    expect(second.first.code).toBe('DATA_DIR_LOCKED');
    expect(second.first.message).toMatch(
      new RegExp(
        `^The data directory ${dir} is in use by process ${first.process.pid} \\(foretill demo --speed 60\\), since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC\\.$`,
      ),
    );
    expect(second.first.remedy).toMatch(/--dir/);
    await kill(first.process, 'SIGKILL');
  });

  it('leave nothing behind that keeps a third out, killed or not', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const holder = await hold('foretill demo');
      expect(holder.first).toEqual({ locked: true });
      await kill(holder.process, signal);
    }
    const lock = await lockDataDir(dir);
    await lock.release();
  });

  it('may wait for each other', async () => {
    const holder = await hold('foretill demo');
    const waiting = lockDataDir(dir, { waitMs: 20_000 });
    await kill(holder.process, 'SIGKILL');
    await (await waiting).release();
  });
});

describe('one process', () => {
  it('cannot lock twice, also not under another name of the directory', async () => {
    const alias = `${dir}-alias`;
    await symlink(dir, alias);
    const lock = await lockDataDir(dir, { command: 'foretill demo' });
    for (const path of [dir, alias]) {
      await expect(lockDataDir(path)).rejects.toMatchObject({
        code: 'DATA_DIR_LOCKED',
        message: expect.stringContaining(`process ${process.pid} (foretill demo)`),
      });
    }
    await lock.release();
    await lock.release();
    await (await lockDataDir(alias)).release();
    await rm(alias);
  });

  it('makes the directory', async () => {
    const lock = await lockDataDir(join(dir, 'a', 'b'));
    await lock.release();
  });
});

describe('a directory that cannot be used', () => {
  it('because a file stands in its place', async () => {
    const path = join(dir, 'file');
    await writeFile(path, 'x');
    for (const unusable of [path, join(path, 'below')]) {
      await expect(lockDataDir(unusable)).rejects.toMatchObject({
        code: 'DATA_DIR_UNUSABLE',
        message: expect.stringContaining(unusable),
        remedy: expect.stringMatching(/move the file away/),
      });
    }
  });

  it('because nothing can be written there', async () => {
    await expect(lockDataDir('/proc')).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      remedy: expect.stringMatching(/--dir/),
    });
  });
});
