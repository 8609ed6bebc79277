import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { reportError, writeErrorDetailsTo } from '../../src/commands/report-error.ts';
import { ForetillError } from '../../src/errors.ts';

let dir = '';
let screen = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'foretill-report-'));
  writeErrorDetailsTo(dir);
  screen = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    screen += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

test('an error for people: what happened, what to do, its exit code', () => {
  const error = new ForetillError('ADDRESS_IN_USE', 'Port 1 is taken.', { remedy: 'Choose another.' });
  expect(reportError(error, {})).toBe(5);
  expect(screen).toBe('error: Port 1 is taken.\nwhat to do: Choose another.\n');
});

test.each([
  ['ENOSPC', 6, /disk is full/],
  ['EACCES', 4, /may not read or write/],
  ['EMFILE', 4, /Too many files/],
])('what the machine refuses: %s', (code, exitCode, message) => {
  expect(reportError(Object.assign(new Error('no'), { code, path: '/x' }), {})).toBe(exitCode);
  expect(screen).toMatch(message);
});

test('anything else: one line and a hint on the screen, the details in a file', () => {
  const error = new TypeError('x is not a function\nof y', { cause: new Error('deeper') });
  expect(reportError(error, {})).toBe(1);
  const file = join(dir, 'foretill-errors.log');
  expect(screen).toContain('did not expect: x is not a function\n');
  expect(screen).toContain(file);
  expect(screen).not.toMatch(/^\s+at /m);
  expect(readFileSync(file, 'utf8')).toMatch(
    /TypeError: x is not a function[\s\S]+at [\s\S]+caused by: Error: deeper/,
  );
});

test('stack traces on request', () => {
  reportError(new Error('inside'), { FORETILL_DEBUG: '1' });
  expect(screen).toMatch(/^\s+at /m);
});
