/**
 * One source partition's stores, as SQL: ClickHouse's `kafkaMurmurHash` is Kafka's own murmur2 made positive, so a
 * store's tickets lie in partition `kafkaMurmurHash(store_id) % count` (tests compare it with Kafka's test vectors).
 */
import type { Params } from './client.ts';

export type SourcePartition = { readonly index: number; readonly count: number };

/** Null: all stores. */
export function partitionFilter(partition: SourcePartition | null): { sql: string; params: Params } {
  if (partition === null) return { sql: 'true', params: {} };
  return {
    sql: 'kafkaMurmurHash(store_id) % {partition_count:UInt32} = {partition_index:UInt32}',
    params: { partition_count: partition.count, partition_index: partition.index },
  };
}
