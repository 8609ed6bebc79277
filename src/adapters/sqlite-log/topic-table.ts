/** Topics and their partitions in the log file. */
import type { DatabaseSync } from 'node:sqlite';
import { ForetillError } from '../../errors.ts';
import type { TopicSpec } from '../../pipeline/log.ts';
import { PARTITIONS_MAX } from './database.ts';
import type { StoredTopic } from './protocol.ts';

type PartitionRow = {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: number;
};

export function loadTopics(database: DatabaseSync): StoredTopic[] {
  const topics = database.prepare('SELECT name, retention_ms, compacted FROM topics ORDER BY name').all();
  const partitions = database.prepare(
    'SELECT id, topic, partition, next_offset FROM partitions WHERE topic = ? ORDER BY partition',
  );
  return topics.map((row) => {
    const rows = partitions.all(row['name'] as string) as unknown as PartitionRow[];
    return {
      spec: {
        name: row['name'] as string,
        partitions: rows.length,
        compacted: row['compacted'] === 1,
        ...(row['retention_ms'] === null ? {} : { retentionMs: row['retention_ms'] as number }),
      },
      ids: rows.map((each) => each.id),
      ends: rows.map((each) => each.next_offset),
    };
  });
}

/**
 * Creates what is missing, all or nothing; retention and compaction of an existing topic follow the new settings.
 * Throws CONFIG_INVALID when a topic exists with other partitions.
 */
export function ensureTopics(database: DatabaseSync, specs: readonly TopicSpec[]): StoredTopic[] {
  const existing = new Map(loadTopics(database).map((topic) => [topic.spec.name, topic.spec.partitions]));
  for (const spec of specs) {
    if (!Number.isInteger(spec.partitions) || spec.partitions < 1) throw noPartitions(spec);
    const partitions = existing.get(spec.name);
    if (partitions !== undefined && partitions !== spec.partitions) throw otherPartitions(spec, partitions);
  }
  const put = database.prepare(
    `INSERT INTO topics (name, retention_ms, compacted) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET retention_ms = excluded.retention_ms, compacted = excluded.compacted`,
  );
  const addPartition = database.prepare('INSERT OR IGNORE INTO partitions (topic, partition) VALUES (?, ?)');
  for (const spec of specs) {
    put.run(
      spec.name,
      spec.retentionMs === undefined ? null : Math.ceil(spec.retentionMs),
      spec.compacted === true ? 1 : 0,
    );
    for (let partition = 0; partition < spec.partitions; partition++) addPartition.run(spec.name, partition);
  }
  const { highest } = database.prepare('SELECT max(id) AS highest FROM partitions').get() as {
    highest: number | null;
  };
  if ((highest ?? 0) > PARTITIONS_MAX) throw tooManyPartitions();
  return loadTopics(database);
}

function noPartitions(spec: TopicSpec): ForetillError {
  return new ForetillError(
    'CONFIG_INVALID',
    `Topic ${spec.name} cannot have ${spec.partitions} partitions.`,
    {
      remedy: 'Use 1 or more.',
    },
  );
}

function otherPartitions(spec: TopicSpec, partitions: number): ForetillError {
  return new ForetillError(
    'CONFIG_INVALID',
    `Topic ${spec.name} has ${partitions} partitions in this log, the configuration asks for ${spec.partitions}.`,
    {
      remedy: `Configure ${partitions} partitions, or start with a new data directory: keys cannot change their partition.`,
    },
  );
}

function tooManyPartitions(): ForetillError {
  return new ForetillError('CONFIG_INVALID', `The log has room for ${PARTITIONS_MAX} partitions in all.`, {
    remedy: 'Use fewer topics or partitions.',
  });
}
