/**
 * A TCP proxy that passes requests on and, when armed, cuts the connection instead of handing the answer back: the
 * work was done, the acknowledgement is lost.
 */
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export type CuttingProxy = {
  readonly url: string;
  /** Answers that will be swallowed from now on. */
  cutNext(count: number): void;
  /** Answers swallowed so far. */
  cuts(): number;
  close(): Promise<void>;
};

export async function startCuttingProxy(targetUrl: string): Promise<CuttingProxy> {
  const target = new URL(targetUrl);
  let toCut = 0;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = createConnection({ host: target.hostname, port: Number(target.port) });
    client.pipe(upstream);
    upstream.on('data', (answer) => {
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
    client.on('close', () => upstream.destroy());
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
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
