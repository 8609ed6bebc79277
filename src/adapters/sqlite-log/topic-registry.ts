/** The topics as the process knows them, with the end of each partition kept up to date by every append. */
import { ForetillError } from '../../errors.ts';
import type { TopicPartition, TopicSpec } from '../../pipeline/log.ts';
import type { StoredTopic } from './protocol.ts';

/** A partition: `end` is the next offset to be written, `onAppend` are its readers, called when it has moved. */
export type Place = TopicPartition & {
  readonly id: number;
  end: number;
  readonly onAppend: Set<() => void>;
};

export type Topic = {
  /** Its `recordBytesMax` is not kept in the file: it is as this process asked for. */
  spec: TopicSpec;
  readonly places: readonly Place[];
  /** Records without a key go to the partitions in turn. */
  nextKeyless: number;
};

export type TopicRegistry = {
  /** `asked` are the specs that this process has just called for. */
  learn(topics: readonly StoredTopic[], asked?: readonly TopicSpec[]): void;
  /** Throws INPUT_NOT_FOUND. */
  get(name: string): Topic;
  specs(): TopicSpec[];
};

export function createTopicRegistry(): TopicRegistry {
  const topics = new Map<string, Topic>();
  return {
    learn(stored, asked = []) {
      const limits = new Map(asked.map(({ name, recordBytesMax }) => [name, recordBytesMax]));
      for (const each of stored) {
        const { name } = each.spec;
        const known = topics.get(name);
        const limit = limits.has(name) ? limits.get(name) : known?.spec.recordBytesMax;
        const spec = limit === undefined ? each.spec : { ...each.spec, recordBytesMax: limit };
        if (known === undefined) topics.set(name, topicOf({ ...each, spec }));
        else known.spec = spec;
      }
    },
    get(name) {
      const topic = topics.get(name);
      if (topic === undefined) throw unknownTopic(name);
      return topic;
    },
    specs: () => [...topics.values()].map((topic) => topic.spec),
  };
}

/** Moves the end and wakes the readers. */
export function moveEnd(place: Place, end: number): void {
  place.end = end;
  for (const wake of place.onAppend) wake();
}

function topicOf({ spec, ids, ends }: StoredTopic): Topic {
  const places = ids.map((id, partition) => ({
    id,
    topic: spec.name,
    partition,
    end: ends[partition] as number,
    onAppend: new Set<() => void>(),
  }));
  return { spec, places, nextKeyless: 0 };
}

function unknownTopic(name: string): ForetillError {
  return new ForetillError('INPUT_NOT_FOUND', `The log has no topic ${name}.`, {
    remedy: 'Create it first (foretill topics), or correct its name.',
  });
}
