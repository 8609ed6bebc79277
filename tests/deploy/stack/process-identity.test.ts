import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { processIdentity } from '../../../deploy/stack/process-identity.ts';

test('a process is the same as long as it lives, another than its children, and nobody afterwards', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    const identity = processIdentity(child.pid!);
    expect(identity).toMatch(/\S/);
    expect(processIdentity(child.pid!)).toBe(identity);
    expect(processIdentity(process.pid)).not.toBe(identity);
  } finally {
    child.stdin!.end();
    await once(child, 'exit');
  }
  expect(processIdentity(child.pid!)).toBeNull();
});
