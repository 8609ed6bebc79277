import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/pipeline/log.ts';
import { after, joinRecording, numbered, numbers, uniqueName } from './bench.ts';
import type { Bench, Seen } from './bench.ts';

/** A group whose members note who holds what: two holders of one partition are a violation. */
function createWatchedGroup(bench: Bench, topic: string) {
  const group = uniqueName('group');
  const holders = new Map<number, string>();
  const violations: string[] = [];
  const delivered: Map<number, number>[] = [];

  async function join(name: string): Promise<{ consumer: Consumer; seen: Seen }> {
    return joinRecording(bench.log, { topics: [topic], group, batchRecordsMax: 5 }, (itself) => ({
      async onAssigned(partitions) {
        for (const { partition } of partitions) {
          if (holders.has(partition))
            violations.push(`${partition} to ${name}, held by ${holders.get(partition)}`);
          holders.set(partition, name);
        }
      },
      async eachBatch(batch) {
        if (holders.get(batch.partition) !== name) violations.push(`batch of ${batch.partition} to ${name}`);
        await new Promise((resolve) => setImmediate(resolve));
        for (const { value } of batch.records) countIn(delivered, batch.partition, Number(value));
        await itself().commit([after(batch)]);
      },
      async onRevoked(partitions) {
        for (const { partition } of partitions) {
          if (holders.get(partition) !== name) violations.push(`${partition} revoked from ${name}`);
          holders.delete(partition);
        }
      },
    }));
  }

  return { group, holders, violations, delivered, join };
}

function countIn(delivered: Map<number, number>[], partition: number, value: number): void {
  const counts = (delivered[partition] ??= new Map());
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

export function describeRebalancing(bench: Bench): void {
  describe('a group', () => {
    it('shares the partitions among its members, and takes back what a leaving one held', async () => {
      const topic = await bench.topic({ partitions: 5 });
      const { holders, violations, join } = createWatchedGroup(bench, topic);
      const shares = () => [...holders.values()].sort().join('');
      const a = await join('a');
      await bench.until('a alone', () => shares() === 'aaaaa');
      const b = await join('b');
      await bench.until('two', () => shares() === 'aaabb' || shares() === 'aabbb');
      const c = await join('c');
      await bench.until('three', () => new Set(shares()).size === 3 && holders.size === 5);
      await a.consumer.stop();
      await bench.until('a gone', () => shares() === 'bbbcc' || shares() === 'bbccc');
      await c.consumer.stop();
      await bench.until('c gone', () => shares() === 'bbbbb');
      await b.consumer.stop();
      expect(shares()).toBe('');
      expect(violations).toEqual([]);
    });

    it('gives nothing to a member more than there are partitions, until one leaves', async () => {
      const topic = await bench.topic({ partitions: 1 });
      const { holders, violations, join } = createWatchedGroup(bench, topic);
      const first = await join('a');
      await bench.until('the first', () => holders.size === 1);
      const second = await join('b');
      await bench.log.append(topic, numbered(3));
      await bench.until('the records', () => first.seen.records + second.seen.records >= 3);
      const [holding, idle] = holders.get(0) === 'a' ? [first, second] : [second, first];
      expect(idle.seen.records).toBe(0);
      await holding.consumer.stop();
      await bench.log.append(topic, numbered(3, { from: 3 }));
      await bench.until('the other takes over', () => idle.seen.records === 3);
      await idle.consumer.stop();
      expect(violations).toEqual([]);
    });

    it('lets the batch in work finish and commit before its partition goes to another', async () => {
      const topic = await bench.topic({ partitions: 2 });
      // One batch and no more: a group may take a moment to hear that it changes, and go on meanwhile.
      await bench.log.append(topic, numbered(5));
      const events: string[] = [];
      let finish = (): void => undefined;
      const first = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        async eachBatch(batch) {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          await itself().commit([after(batch)]);
          events.push('finished');
        },
        async onRevoked() {
          events.push('revoked');
        },
      }));
      await bench.until('a batch in work', () => first.seen.batches.length === 1);
      const { group } = first;
      const second = await joinRecording(bench.log, { topics: [topic], group }, () => ({
        async onAssigned() {
          events.push('assigned');
        },
      }));
      expect(events).toEqual([]);
      finish();
      await bench.until('the second member', () => second.seen.assigned.length === 1);
      expect(events).toEqual(['finished', 'revoked', 'assigned']);
      await bench.until('the first member again', () => first.seen.assigned.length === 2);
      const again = [...first.seen.assigned.slice(1), ...second.seen.assigned].flat();
      expect(again.find(({ partition }) => partition === 0)?.committed).toEqual({ offset: 5, metadata: '' });
      expect(again.find(({ partition }) => partition === 1)?.committed).toBeNull();
      await bench.log.append(topic, numbered(5, { partition: 1 }));
      await bench.until(
        'the other batch',
        () => first.seen.batches.length + second.seen.batches.length === 2,
      );
      finish();
      await Promise.all([first.consumer.stop(), second.consumer.stop()]);
    });

    it('delivers everything while members come and go', async () => {
      const topic = await bench.topic({ partitions: 4 });
      const { group, violations, delivered, join } = createWatchedGroup(bench, topic);
      const members: Awaited<ReturnType<typeof join>>[] = [];
      const perPartition = 200;
      for (let step = 0; step < 10; step++) {
        if (step % 3 === 2) await members.shift()?.consumer.stop();
        else members.push(await join(`member ${step}`));
        for (const partition of [0, 1, 2, 3]) {
          await bench.log.append(
            topic,
            numbered(perPartition / 10, { partition, from: (step * perPartition) / 10 }),
          );
        }
      }
      const done = () => delivered.filter((counts) => counts.size === perPartition).length === 4;
      await bench.until('everything delivered', done);
      await Promise.all(members.map((member) => member.consumer.stop()));
      expect(violations).toEqual([]);
      const committed = await bench.log.committed(group, topic);
      expect([...committed.values()].map(({ offset }) => offset)).toEqual([200, 200, 200, 200]);
      // Every batch was committed before its partition was given up: nothing comes twice.
      for (const counts of delivered) {
        expect([...counts.keys()].map(String)).toEqual(numbers(perPartition));
        expect([...counts.values()].every((count) => count === 1)).toBe(true);
      }
    });
  });
}
