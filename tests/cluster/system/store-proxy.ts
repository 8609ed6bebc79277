/**
 * A proxy in front of the store that can be made unreachable, or silent, and that loses answers to statements that write:
 * the work was done, and whoever asked for it does not know.
 */
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../../../src/simulator/random.ts';
import { restartable } from '../restartable-server.ts';

export type StoreProxy = {
  readonly url: string;
  /** Connections are cut, and new ones refused. */
  refuse(): Promise<void>;
  /** Nothing is passed on or answered any more, not even what is under way. */
  hang(): Promise<void>;
  /** Everything as it should be again; what hung is cut. */
  mend(): Promise<void>;
  /** Of the statements that write, this share is done and not acknowledged. */
  loseAnswers(share: number, random: Random): void;
  /** Statements done and not acknowledged so far. */
  lost(): number;
  close(): Promise<void>;
};

export async function startStoreProxy(targetUrl: string): Promise<StoreProxy> {
  const target = new URL(targetUrl);
  let hangs = false;
  let loses = (): boolean => false;
  let lost = 0;

  const server = createServer((incoming, answer) => {
    readAll(incoming)
      .then((body) => (hangs ? undefined : pass(body, { incoming, answer })))
      .catch(() => answer.destroy());
  });

  function pass(body: Buffer, asked: { incoming: IncomingMessage; answer: ServerResponse }): void {
    const { incoming, answer } = asked;
    const { method, url: path, headers } = incoming;
    const passed = { ...headers, host: target.host, 'content-length': String(body.length) };
    delete (passed as Record<string, unknown>)['transfer-encoding'];
    const isLost = writes(path ?? '', body) && loses();
    const upstream = request(
      { host: target.hostname, port: target.port, method, path, headers: passed },
      (response) => {
        if (isLost) {
          response.resume();
          response.on('end', () => {
            lost += 1;
            answer.destroy();
          });
          return;
        }
        if (hangs) return;
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.on('error', () => answer.destroy());
        response.pipe(answer);
      },
    );
    upstream.on('error', () => answer.destroy());
    upstream.end(body);
  }

  const { url, listen, shut } = await restartable(server);
  return {
    url,
    refuse: shut,
    async hang() {
      hangs = true;
      if (!server.listening) await listen();
    },
    async mend() {
      hangs = false;
      if (server.listening) server.closeAllConnections();
      else await listen();
    },
    loseAnswers(share, random) {
      loses = () => random.uniform() < share;
    },
    lost: () => lost,
    close: shut,
  };
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Rows come in the body, with the statement in the address; other statements are the body. */
function writes(path: string, body: Buffer): boolean {
  const inAddress = new URL(path, 'http://store').searchParams.get('query') ?? '';
  return [inAddress, body.subarray(0, 100).toString()].some((text) => /^\s*INSERT\b/i.test(text));
}
