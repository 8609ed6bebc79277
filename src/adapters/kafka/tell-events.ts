/** What happens in the adapter, as the happenings of the catalogue. */
import type { Events } from '../../telemetry/events.ts';
import type { KafkaEvent } from './client/events.ts';

export function tellKafkaEvents(events: Events): (event: KafkaEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'rebalanced':
        return events.groupRebalanced(event);
      case 'lost':
        return events.membershipLost(event);
      case 'offset_gap':
        return events.offsetGap(event);
      case 'retried':
        return events.logRetried(event);
      case 'stalled':
        return events.consumerStalled(event);
    }
  };
}
