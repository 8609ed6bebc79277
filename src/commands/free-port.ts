/** Says at once that a port is taken, before minutes of preparation that would end with it. */
import { createServer } from 'node:net';
import { ForetillError } from '../errors.ts';

/** Errors: ADDRESS_IN_USE. What else is wrong with an address is said when it is listened on. */
export async function demandFreePort({ host, port }: { host: string; port: number }): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  const code = await new Promise<string | undefined>((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ host, port }, () => resolve(undefined));
  });
  if (code === undefined) await new Promise((resolve) => server.close(resolve));
  if (code !== 'EADDRINUSE') return;
  throw new ForetillError('ADDRESS_IN_USE', `Port ${port} on ${host} is taken by another program.`, {
    remedy: 'Choose another with --port, or --port 0 for any that is free.',
  });
}
