/**
 * Many WebSocket clients in a process of their own, as cheap as they can be: they shake hands, subscribe, and from then
 * on only count bytes. Orders come from the parent: connect, then for each round the number of bytes to wait for.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export type ClientsOrder =
  | { readonly do: 'connect'; readonly port: number; readonly clients: number; readonly subscribe: boolean }
  | { readonly do: 'await'; readonly bytes: number };

const SUBSCRIBE = JSON.stringify({ type: 'subscribe', id: 'a', filter: { granularity: 'hour' } });

let sockets: Socket[] = [];
let received = 0;
let awaited: number | null = null;

process.on('message', (order: ClientsOrder) => {
  if (order.do === 'connect') void open(order);
  else {
    awaited = order.bytes;
    check();
  }
});

async function open({ port, clients, subscribe }: Extract<ClientsOrder, { do: 'connect' }>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  for (let n = 0; n < clients; n += 1) sockets.push(await shakeHands(port, subscribe));
  received = 0;
  process.send?.('ready');
}

/** Resolves when the server has agreed and, with `subscribe`, the snapshot has come. */
function shakeHands(port: number, subscribe: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const greet = (data: Buffer): void => {
      const agreed = text.includes('\r\n\r\n');
      text += data.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      if (subscribe && !agreed) socket.write(clientFrame(SUBSCRIBE));
      if (subscribe && !text.includes('"nowcasts":[]}')) return;
      socket.off('data', greet);
      socket.on('data', count);
      resolve(socket);
    };
    socket.on('data', greet);
    socket.on('error', reject);
    socket.write(
      `GET /feed HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
  });
}

/** A short text frame, masked with zeros. */
function clientFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

function count(data: Buffer): void {
  received += data.length;
  check();
}

function check(): void {
  if (awaited === null || received < awaited) return;
  received -= awaited;
  awaited = null;
  process.send?.('received');
}
