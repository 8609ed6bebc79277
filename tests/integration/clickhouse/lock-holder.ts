/** Holds the lock of a directory until it is killed, or sends the error: node lock-holder.ts DIR COMMAND */
import { lockDataDir } from '../../../src/adapters/data-dir-lock.ts';
import type { ForetillError } from '../../../src/errors.ts';

const [dir, command] = process.argv.slice(2);
try {
  await lockDataDir(dir!, { command: command! });
  process.send!({ locked: true });
  process.on('disconnect', () => process.exit(0));
} catch (error) {
  const { code, message, remedy } = error as ForetillError;
  process.send!({ locked: false, code, message, remedy }, () => process.exit(0));
}
