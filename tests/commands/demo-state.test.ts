import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDir } from '../../src/adapters/data-dir-lock.ts';
import { deleteDemo, loadDemoState, saveDemoState } from '../../src/commands/demo/demo-state.ts';
import type { DemoState } from '../../src/commands/demo/demo-state.ts';

const STATE: DemoState = {
  plays: 'x',
  liveFromMs: 1,
  imported: 'history',
  nowMs: 2,
  historyTickets: 3,
  nextTicket: 4,
  sentMs: 5,
  stores: ['A'],
  injections: [
    {
      id: 'e',
      kind: 'stock-out',
      category: 'BREAD',
      storeId: null,
      fromMs: 1,
      untilMs: Number.POSITIVE_INFINITY,
    },
  ],
};

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'foretill-demo-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('what was saved is loaded, events without an end included', () => {
  expect(loadDemoState(dir)).toBeNull();
  saveDemoState(join(dir, 'new'), STATE);
  expect(loadDemoState(join(dir, 'new'))).toEqual(STATE);
});

test('a state that cannot be read is refused with what to do', () => {
  writeFileSync(join(dir, 'demo.json'), '{');
  expect(() => loadDemoState(dir)).toThrow(
    expect.objectContaining({ code: 'DATA_DIR_UNUSABLE', remedy: expect.stringContaining('--fresh') }),
  );
});

test('only the directory of a demonstration is deleted', async () => {
  await deleteDemo(join(dir, 'missing'));
  writeFileSync(join(dir, 'letters.txt'), 'dear');
  await expect(deleteDemo(dir)).rejects.toMatchObject({ code: 'USAGE' });
  expect(existsSync(join(dir, 'letters.txt'))).toBe(true);
  saveDemoState(dir, STATE);
  const lock = await lockDataDir(dir);
  await expect(deleteDemo(dir)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
  await lock.release();
  await deleteDemo(dir);
  expect(existsSync(dir)).toBe(false);
});
