import { describe, expect, it } from 'vitest';
import { createAppendQueue } from '../../../src/adapters/sqlite-log/append-queue.ts';
import type { AppendRequest, Operations } from '../../../src/adapters/sqlite-log/protocol.ts';
import { createTopicRegistry } from '../../../src/adapters/sqlite-log/topic-registry.ts';
import type { WorkerClient } from '../../../src/adapters/sqlite-log/worker-client.ts';
import { manualClock } from '../../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';
import { numbered } from '../log-contract/bench.ts';

const RECORD_BYTES = 30;
const LIMITS = {
  ...DEFAULT_CONFIG.log,
  appendBytesInFlightMax: 10 * RECORD_BYTES,
  groupCommitBytesMax: 4 * RECORD_BYTES,
};

/** The other end of the queue: groups wait here until the test acknowledges or refuses them. */
function createGate() {
  const groups: { bytes: number; finish(error?: Error): void }[] = [];
  let inFlight = 0;
  let inFlightMax = 0;
  let nextOffset = 0;
  const client = {
    call: (_name: string, { bytes: { length } }: AppendRequest) =>
      new Promise<Operations['append']['response']>((resolve, reject) => {
        inFlight += length;
        inFlightMax = Math.max(inFlightMax, inFlight);
        groups.push({
          bytes: length,
          finish(error) {
            inFlight -= length;
            if (error !== undefined) return reject(error);
            resolve([nextOffset]);
            nextOffset += length / RECORD_BYTES;
          },
        });
      }),
  } as WorkerClient;
  return { client, groups, inFlightMax: () => inFlightMax };
}

function open() {
  const gate = createGate();
  const registry = createTopicRegistry();
  registry.learn([{ spec: { name: 't', partitions: 1 }, ids: [1], ends: [0] }]);
  const queue = createAppendQueue({ client: gate.client, clock: manualClock(0), limits: LIMITS });
  const topic = registry.get('t');
  const append = (count: number) =>
    queue.append(
      topic,
      numbered(count).map((record) => ({ ...record, value: null })),
    );
  return { ...gate, queue, topic, append };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the append queue', () => {
  it('sends what is appended in one turn together, up to a group’s maximum', async () => {
    const { append, groups } = open();
    const appends = [append(1), append(2), append(2), append(1)];
    await turn();
    expect(groups.map((group) => group.bytes / RECORD_BYTES)).toEqual([3, 3]);
    for (const group of groups) group.finish();
    expect((await Promise.all(appends)).flat().map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('keeps back what is over the maximum in flight, in order, and lets a larger append go alone', async () => {
    const { append, groups, queue, topic, inFlightMax } = open();
    const order: number[] = [];
    const sizes = [6, 3, 2, 25, 1, 1];
    const appends = sizes.map((size, index) => append(size).then(() => order.push(index)));
    for (let finished = 0; order.length < sizes.length; finished++) {
      await turn();
      groups[finished]?.finish();
      await turn();
    }
    await Promise.all(appends);
    await queue.drained();
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(inFlightMax() / RECORD_BYTES).toBe(25);
    expect(groups.map((group) => group.bytes / RECORD_BYTES)).toEqual([6, 3, 2, 25, 2]);
    expect(topic.places[0]?.end).toBe(38);
  });

  it('tells each caller of a group that failed, and goes on', async () => {
    const { append, groups } = open();
    const failing = Promise.allSettled([append(1), append(1)]);
    await turn();
    groups[0]?.finish(new Error('disk full'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = append(1);
    await turn();
    groups[1]?.finish();
    expect(await next).toEqual([{ partition: 0, offset: 0 }]);
  });
});
