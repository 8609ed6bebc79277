/** A proxy in front of the schema registry that counts requests and, when told to, spoils answers. */
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { restartable } from './restartable-server.ts';

export type Fault =
  | { kind: 'none' }
  /** Every answer is held back. */
  | { kind: 'slow'; ms: number }
  /** No answer, ever. */
  | { kind: 'hang' }
  /** The answer ends in its middle, where the path is one of `only`. */
  | { kind: 'cut'; only?: RegExp }
  | { kind: 'status'; status: number; body: string; headers?: Record<string, string> };

export type RegistryProxy = {
  readonly url: string;
  /** `GET /schemas/ids/1`, as asked so far. */
  readonly requests: string[];
  /** From the next request on. */
  spoil(fault: Fault): void;
  /** Only requests with this user and password are let through. */
  guard(username: string, password: string): void;
  /** Connections are cut and refused until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startRegistryProxy(targetUrl: string): Promise<RegistryProxy> {
  const requests: string[] = [];
  let fault: Fault = { kind: 'none' };
  let authorization: string | undefined;
  const server = createServer((incoming, answer) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (authorization !== undefined && incoming.headers.authorization !== authorization) {
      answer.writeHead(401, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ error_code: 40101, message: `Not ${incoming.headers.authorization}` }));
      return;
    }
    if (fault.kind === 'hang') return;
    if (fault.kind === 'status') {
      answer.writeHead(fault.status, fault.headers);
      answer.end(fault.body);
      return;
    }
    const waitMs = fault.kind === 'slow' ? fault.ms : 0;
    const cut = fault.kind === 'cut' && (fault.only ?? /./).test(incoming.url ?? '');
    setTimeout(() => {
      if (!answer.destroyed) pass(targetUrl, { incoming, answer, cut });
    }, waitMs).unref();
  });

  const { url, listen, shut } = await restartable(server);
  return {
    url,
    requests,
    spoil(next) {
      fault = next;
    },
    guard(username, password) {
      authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    },
    stop: shut,
    start: listen,
    [Symbol.asyncDispose]: shut,
  };
}

function pass(
  targetUrl: string,
  { incoming, answer, cut }: { incoming: IncomingMessage; answer: ServerResponse; cut: boolean },
): void {
  const upstream = request(
    targetUrl + (incoming.url ?? ''),
    { method: incoming.method, headers: { ...incoming.headers, host: new URL(targetUrl).host } },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        answer.writeHead(response.statusCode ?? 502, {
          'content-type': 'application/json',
          'content-length': body.length,
        });
        if (!cut) answer.end(body);
        else answer.write(body.subarray(0, 5), () => answer.destroy());
      });
    },
  );
  upstream.on('error', () => answer.destroy());
  incoming.pipe(upstream);
}
