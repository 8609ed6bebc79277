/**
 * A TCP proxy that passes requests on and, when armed, cuts the connection instead of handing the answer back: the
 * work was done, the acknowledgement is lost. Or it takes what comes, and says nothing.
 */
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export type CuttingProxy = {
  readonly url: string;
  /** Answers that will be swallowed from now on. */
  cutNext(count: number): void;
  /** Answers swallowed so far. */
  cuts(): number;
  /** Nothing is passed on any more, on connections that are there or new ones, until `goOn`. */
  hang(): void;
  goOn(): void;
  /** Also the connections that are there. */
  close(): Promise<void>;
};

export async function startCuttingProxy(targetUrl: string): Promise<CuttingProxy> {
  const target = new URL(targetUrl);
  let toCut = 0;
  let cuts = 0;
  let hanging = false;
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection({ host: target.hostname, port: Number(target.port) });
    clients.add(client);
    client.on('data', (request) => {
      if (!hanging) upstream.write(request);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', (answer) => {
      if (hanging) return;
      if (toCut > 0) {
        toCut--;
        cuts++;
        client.destroy();
        upstream.destroy();
      } else {
        client.write(answer);
      }
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      clients.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cutNext: (count) => {
      toCut = count;
    },
    cuts: () => cuts,
    hang: () => {
      hanging = true;
    },
    goOn: () => {
      hanging = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}
