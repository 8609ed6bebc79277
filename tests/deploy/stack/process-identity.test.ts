import { expect, test } from 'vitest';
import { processIdentity } from '../../../deploy/stack/process-identity.ts';

/** Above what any system gives out: Linux ends at 2^22. */
const NOBODY = 2 ** 30;

test('a process is the same as long as it lives, another than its parent, and nobody has no identity', () => {
  const own = processIdentity(process.pid);
  expect(own).toMatch(/^\S/);
  expect(processIdentity(process.pid)).toBe(own);
  expect(processIdentity(process.ppid)).not.toBe(own);
  expect(processIdentity(NOBODY)).toBeNull();
});
