/** Lets WebSockets in at /feed, on the same port and by the same rules as requests. */
import type { Server } from 'node:http';
import type { Feed } from '../websocket/feed.ts';
import { refuseUpgrade } from '../websocket/refuse-upgrade.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Access } from './access.ts';

export function acceptFeed(
  server: Server,
  deps: { readonly feed: Feed; readonly access: Access; readonly telemetry: Telemetry },
): void {
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?')[0] !== '/feed') return refuseUpgrade(socket, 404, 'Not Found');
    const refusal = deps.access.refusal(request.headers, { writes: true });
    if (refusal === null) return deps.feed.accept(request, socket, head);
    deps.telemetry.events.feedRefused({ reason: refusal === 'unauthorized' ? 'unauthorized' : 'origin' });
    if (refusal === 'unauthorized') refuseUpgrade(socket, 401, 'Unauthorized');
    else refuseUpgrade(socket, 403, 'Forbidden');
  });
}
