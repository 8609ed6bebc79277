import { describe, expect, it } from 'vitest';
import {
  readAssignment,
  shareOut,
  subscribedTopics,
  subscription,
} from '../../../src/adapters/kafka/group/assignment.ts';

const member = (memberId: string, topics: readonly string[]) => ({
  memberId,
  memberMetadata: subscription(topics).metadata,
});

type Wants = Readonly<Record<string, readonly string[]>>;
type Gets = Readonly<Record<string, readonly string[]>>;

const CASES: readonly (readonly [string, Wants, Readonly<Record<string, number>>, Gets])[] = [
  ['one gets all', { a: ['t'] }, { t: 3 }, { a: ['t/0', 't/1', 't/2'] }],
  [
    'the first get one more',
    { b: ['t'], a: ['t'] },
    { t: 5 },
    { a: ['t/0', 't/1', 't/2'], b: ['t/3', 't/4'] },
  ],
  [
    'more members than partitions',
    { a: ['t'], b: ['t'], c: ['t'] },
    { t: 2 },
    { a: ['t/0'], b: ['t/1'], c: [] },
  ],
  [
    'topics by themselves',
    { a: ['t', 'u'], b: ['t', 'u'] },
    { t: 2, u: 3 },
    { a: ['t/0', 'u/0', 'u/1'], b: ['t/1', 'u/2'] },
  ],
  ['only what one wants', { a: ['t'], b: ['t', 'u'] }, { t: 2, u: 1 }, { a: ['t/0'], b: ['t/1', 'u/0'] }],
  ['a topic that does not exist', { a: ['t', 'gone'] }, { t: 1, gone: 0 }, { a: ['t/0'] }],
];

describe('sharing out', () => {
  it.each(CASES)('%s', (_, wants, counts, gets) => {
    const members = Object.entries(wants).map(([id, topics]) => member(id, topics));
    const shares = shareOut(members, (topic) => counts[topic] ?? 0);
    const read = shares.map(({ memberId, memberAssignment }) => [
      memberId,
      readAssignment(memberAssignment).map(({ topic, partition }) => `${topic}/${partition}`),
    ]);
    expect(Object.fromEntries(read)).toEqual(gets);
  });

  it('gives every partition to one, and to nobody two more than to another', () => {
    for (let members = 1; members <= 7; members++) {
      for (let partitions = 0; partitions <= 20; partitions++) {
        const all = Array.from({ length: members }, (_, i) => member(`m${i}`, ['t']));
        const sizes = shareOut(all, () => partitions).map((each) => readAssignment(each.memberAssignment));
        expect(sizes.flat().map(({ partition }) => partition)).toEqual([...Array(partitions).keys()]);
        const lengths = sizes.map(({ length }) => length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('gives nothing to a member whose wish nobody can read', () => {
    const members = [member('a', ['t']), { memberId: 'b', memberMetadata: Buffer.from([0]) }];
    expect(subscribedTopics(members)).toEqual(['t']);
    const shares = shareOut(members, () => 2).map((each) => readAssignment(each.memberAssignment).length);
    expect(shares).toEqual([2, 0]);
  });

  it('counts no bytes as no partitions', () => {
    expect(readAssignment(Buffer.alloc(0))).toEqual([]);
  });
});
