/** An HTTP server that goes away and comes back where it was, while its clients keep knocking. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../deploy/stack/free-port.ts';

export type RestartableServer = {
  readonly url: string;
  /** Connections are cut, and new ones refused, until `listen`. */
  shut(): Promise<void>;
  listen(): Promise<void>;
};

const ATTEMPTS_MAX = 50;
const RETRY_MS = 100;

/** Resolves when it listens, on the loopback. */
export async function restartable(server: Server): Promise<RestartableServer> {
  let port = await freePort();
  for (let attempt = 1; !(await listens(server, port)); attempt += 1) {
    if (attempt === ATTEMPTS_MAX) throw new Error(`no port to listen on after ${attempt} attempts`);
    port = await freePort();
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async shut() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async listen() {
      for (let attempt = 1; !(await listens(server, port)); attempt += 1) {
        if (attempt === ATTEMPTS_MAX) throw new Error(`port ${port} is taken after ${attempt} attempts`);
        await delay(RETRY_MS);
      }
    },
  };
}

/** False when another has the port. */
function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const listening = (): void => {
      server.off('error', failed);
      resolve(true);
    };
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening);
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('listening', listening).once('error', failed).listen(port, '127.0.0.1');
  });
}
