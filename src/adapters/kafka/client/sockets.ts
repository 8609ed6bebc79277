/** kafkajs's sockets, so that they can be cut: its own way of closing waits for answers, which may never come. */
import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { inner } from './kafkajs-inner.ts';

export type Sockets = {
  readonly factory: ISocketFactory;
  /** Those there are, at once, and those to come. */
  cut(): void;
};

export function createSockets(): Sockets {
  const open = inner.socketFactory() as ISocketFactory;
  const sockets = new Set<Socket>();
  let cut = false;

  return {
    factory(options) {
      const socket = open(options);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      if (cut) socket.destroy(closed());
      return socket;
    },
    cut() {
      cut = true;
      for (const socket of sockets) socket.destroy(closed());
    },
  };
}

/** Only an error makes kafkajs reject what waits for an answer. */
function closed(): Error {
  return new Error('closed here');
}
