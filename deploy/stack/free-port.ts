/**
 * A free port below those that the system gives to outgoing connections (from 32768 on Linux, 49152 elsewhere). One of
 * those would bite when a server is killed and started again on it: a client that keeps trying to connect may be given
 * the very same port for its own end, connects to itself, and the server finds its address taken.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { ForetillError } from '../../src/errors.ts';

const LOWEST = 15_000;
const BEYOND = 32_000;
const ATTEMPTS_MAX = 100;

/** `preferred` when it is free, else any. Errors: ADDRESS_IN_USE when none is found. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = randomInt(LOWEST, BEYOND);
    if (await isFree(port)) return port;
  }
  throw new ForetillError('ADDRESS_IN_USE', `No free port was found between ${LOWEST} and ${BEYOND}.`, {
    remedy: 'End some of the programs that listen there.',
  });
}

/** On the loopback, as all of the stack listens. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
