/** What happens in the adapter, as the happenings of the catalogue. */
import type { Events } from '../../telemetry/events.ts';
import type { RegistryEvent } from './events.ts';

export function tellRegistryEvents(events: Events): (event: RegistryEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'published':
        return events.schemaPublished(event);
      case 'waiting':
        return events.registryWaitedFor(event);
      case 'retried':
        return events.registryRetried(event);
      case 'looked_up':
        return events.schemaLookedUp(event);
      case 'cache_damaged':
        return events.schemaCacheFailed({ what: `${event.file} is damaged: ${event.why}` });
      case 'cache_unwritable':
        return events.schemaCacheFailed({ what: `${event.file} cannot be written: ${String(event.error)}` });
      case 'cache_cleared':
        return events.schemaCacheFailed({
          what: `the registry was set up anew (it gave id ${event.id} again to ${event.subject}): all was forgotten`,
        });
    }
  };
}
