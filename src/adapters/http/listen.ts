/** Starts to listen, and says in words what stands in the way. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ForetillError } from '../../errors.ts';
import type { ListenOptions } from './access.ts';

/**
 * The address for a browser. `portOption` is what the port is chosen with on the command line, for remedies. Errors:
 * ADDRESS_IN_USE, and USAGE for an address that this machine has not.
 */
export async function listen(
  app: FastifyInstance,
  options: ListenOptions,
  portOption = '--port',
): Promise<string> {
  const { port } = options;
  // One address, so that there is one server to take the feed's connections.
  const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, { host, port, portOption });
  }
  const address = app.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

function explained(
  error: NodeJS.ErrnoException,
  { host, port, portOption }: { readonly host: string; readonly port: number; readonly portOption: string },
): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ForetillError('ADDRESS_IN_USE', `Port ${port} on ${host} is taken by another program.`, {
        remedy: `Choose another with ${portOption}, or ${portOption} 0 for any that is free.`,
        cause: error,
      });
    case 'EACCES':
      return new ForetillError('USAGE', `This user may not listen on port ${port}.`, {
        remedy: `Choose a port of 1024 or higher with ${portOption}.`,
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ForetillError('USAGE', `${host} is not an address of this machine.`, {
        remedy: 'Listen on 127.0.0.1, or on an address that this machine has.',
        cause: error,
      });
    default:
      return error;
  }
}
