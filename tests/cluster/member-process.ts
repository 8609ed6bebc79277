/**
 * A member of a group in a process of its own, which a test can stop and kill. Tells its parent what happens to it; looks
 * all the time whether it still holds what it was given and, at the first look after it was stopped, tries to commit.
 */
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { systemClock } from '../../src/clock.ts';
import type { KafkaLogOptions } from '../../src/adapters/kafka/kafka-log.ts';
import type { Consumer, TopicPartition } from '../../src/pipeline/log.ts';

export type MemberOrder = Pick<KafkaLogOptions, 'address' | 'limits'> & {
  readonly group: string;
  readonly topic: string;
  /** It was stopped when it did not come to look for so long. */
  readonly stoppedMs: number;
};

export type MemberNews =
  | { readonly kind: 'assigned' | 'revoked'; readonly partitions: number[]; readonly held: boolean[] }
  | { readonly kind: 'batch'; readonly values: string[] }
  | {
      readonly kind: 'continued';
      readonly partition: number;
      readonly holds: boolean;
      readonly commit: string;
    }
  | { readonly kind: 'crashed'; readonly message: string };

const LOOK_EVERY_MS = 20;

function tell(news: MemberNews): void {
  process.send?.(news);
}

process.once('message', (order: MemberOrder) => void run(order));

async function run({ address, limits, group, topic, stoppedMs }: MemberOrder): Promise<void> {
  let own: TopicPartition | null = null;
  const log = await openKafkaLog({ address, limits, clock: systemClock, onEvent: () => undefined });
  const consumer: Consumer = await log.join(
    { group, topics: [topic], startFrom: 'earliest', batchRecordsMax: 10 },
    {
      async onAssigned(partitions) {
        own = partitions[0] ?? null;
        tell({
          kind: 'assigned',
          partitions: partitions.map(({ partition }) => partition),
          held: partitions.map((each) => consumer.holds(each)),
        });
      },
      async eachBatch(batch) {
        tell({ kind: 'batch', values: batch.records.map(({ value }) => String(value)) });
        const last = batch.records.at(-1);
        if (last !== undefined)
          await consumer.commit([{ ...batch, offset: last.offset + 1, metadata: 'child' }]);
      },
      async onRevoked(partitions) {
        tell({
          kind: 'revoked',
          partitions: partitions.map(({ partition }) => partition),
          held: partitions.map((each) => consumer.holds(each)),
        });
      },
      onCrash: (error) => tell({ kind: 'crashed', message: String(error) }),
    },
  );
  let lookedMs = performance.now();
  setInterval(() => {
    const stopped = performance.now() - lookedMs > stoppedMs;
    lookedMs = performance.now();
    if (stopped && own !== null) void look(consumer, own);
  }, LOOK_EVERY_MS);
}

async function look(consumer: Consumer, { topic, partition }: TopicPartition): Promise<void> {
  const holds = consumer.holds({ topic, partition });
  const commit = await consumer.commit([{ topic, partition, offset: 1, metadata: 'zombie' }]).then(
    () => 'done',
    (error: { code?: string }) => error.code ?? 'unknown',
  );
  tell({ kind: 'continued', partition, holds, commit });
}
